import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, messageType, type PlainMessage } from '../../../controller/wire/messages.ts';
import { fromJsonForm, structToPlain } from '../../../controller/wire/well-known.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';

const DURATIONS: readonly (readonly [string, PlainMessage])[] = [
  ['0s', { seconds: 0, nanos: 0 }],
  ['5s', { seconds: 5, nanos: 0 }],
  ['0.25s', { seconds: 0, nanos: 250_000_000 }],
  ['1.000000001s', { seconds: 1, nanos: 1 }],
  ['-1.5s', { seconds: -1, nanos: -500_000_000 }],
];

for (const [text, expected] of DURATIONS) {
  test(`the duration ${text}`, () => {
    assert.deepEqual(decode(CLUSTER, encode(CLUSTER, { connect_timeout: text }))['connect_timeout'], expected);
  });
}

for (const text of ['5', '5 s', 's', '1.s', '1m', '']) {
  test(`"${text}" is refused as a duration, with an example`, () => {
    assert.throws(() => encode(CLUSTER, { connect_timeout: text }), /is no duration: .*"1\.5s"/);
  });
}

test('wrapped scalars are written bare', () => {
  const thresholds = [{ max_connections: 1024, track_remaining: true }];
  const { circuit_breakers } = decode(CLUSTER, encode(CLUSTER, { circuit_breakers: { thresholds } }));
  const expected = encode(CLUSTER, {
    circuit_breakers: { thresholds: [{ max_connections: { value: 1024 }, track_remaining: true }] },
  });
  assert.deepEqual(circuit_breakers, decode(CLUSTER, expected)['circuit_breakers']);
});

test('an Any is written with @type, also inside another', () => {
  const inner = { '@type': `type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer` };
  const outer = {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport',
    config: { version: 'V2' },
    transport_socket: { name: 'raw', typed_config: inner },
  };
  const { transport_socket } = decode(
    CLUSTER,
    encode(CLUSTER, { transport_socket: { name: 'proxy', typed_config: outer } }),
  );
  const any = transport_socket as { typed_config: { type_url: string; value: Uint8Array } };
  assert.equal(any.typed_config.type_url, outer['@type']);
  const decoded = decode(any.typed_config.type_url, any.typed_config.value);
  assert.equal((decoded['transport_socket'] as typeof any).typed_config.type_url, inner['@type']);
});

const STRUCTS: readonly PlainMessage[] = [
  {},
  { text: 'a', number: 1.5, yes: true, no: false, nothing: null, empty: '' },
  { list: [1, 'a', [true], { deep: {} }], nested: { a: { b: ['c'] } } },
];

for (const value of STRUCTS) {
  test(`the Struct ${JSON.stringify(value)} comes back as it was`, () => {
    const metadata = { filter_metadata: { 'lazyscope.io/relay': value } };
    const decoded = messageType(CLUSTER).decode(encode(CLUSTER, { metadata }));
    const filters = (decoded as unknown as { metadata: { filter_metadata: Record<string, unknown> } }).metadata
      .filter_metadata;
    assert.deepEqual(structToPlain(filters['lazyscope.io/relay']), value);
  });
}

test('no Struct is an empty object', () => {
  assert.deepEqual([structToPlain(undefined), structToPlain(null)], [{}, {}]);
});

test('an unknown field is refused by message and name', () => {
  assert.throws(() => encode(CLUSTER, { nam: 'x' }), { message: `${CLUSTER} has no field "nam"` });
});

test('fields that are undefined are absent', () => {
  assert.deepEqual(fromJsonForm(messageType(CLUSTER), { name: 'x', alt_stat_name: undefined }), { name: 'x' });
});
