import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decode, encode, messageType } from '../../../controller/wire/messages.ts';
import { PROTO_ADDITIONS } from '../../../controller/wire/proto-files.ts';

const CLUSTER = 'envoy.config.cluster.v3.Cluster';
const LOG = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';

/** The same object with its keys in another order, at every depth. */
function reordered(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reordered(item)]),
  );
}

const struct = fc.dictionary(
  fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'),
  fc.oneof(fc.string(), fc.boolean(), fc.nat(), fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.nat())),
);

test('equal content has equal bytes, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.constantFrom('x', 'y', 'z'), struct), (name, filter_metadata) => {
      const cluster = { name, type: 'EDS', connect_timeout: '1s', metadata: { filter_metadata } };
      const other = { ...cluster, metadata: { filter_metadata: reordered(filter_metadata) } };
      assert.deepEqual(encode(CLUSTER, Object.fromEntries(Object.entries(other).reverse())), encode(CLUSTER, cluster));
    }),
  );
});

test('map fields are in the order of their keys', () => {
  const log = (custom_tags: Record<string, string>): Uint8Array =>
    encode(LOG, { tcp_logs: { log_entry: [{ common_properties: { custom_tags } }] } });
  assert.deepEqual(log({ b: '2', a: '1', c: '3' }), log({ c: '3', b: '2', a: '1' }));
});

test('enums are decoded as names, absent scalars as defaults, 64-bit numbers as numbers', () => {
  const cluster = decode(CLUSTER, encode(CLUSTER, { name: 'a', type: 'EDS', connect_timeout: { seconds: 2 ** 40 } }));
  assert.equal(cluster['type'], 'EDS');
  assert.equal(cluster['alt_stat_name'], '');
  assert.deepEqual(cluster['connect_timeout'], { seconds: 2 ** 40, nanos: 0 });
});

test('a message is found with and without the prefix of its type URL', () => {
  assert.equal(messageType(`type.googleapis.com/${CLUSTER}`), messageType(CLUSTER));
  assert.throws(() => messageType('envoy.No'), /no such type: envoy\.No/);
});

for (const addition of PROTO_ADDITIONS) {
  if ('enum' in addition) {
    test(`${addition.enum} has the value ${addition.value} = ${addition.number}`, () => {
      assert.equal(messageType(LOG).root.lookupEnum(addition.enum).values[addition.value], addition.number);
    });
  } else {
    test(`${addition.message} has the field ${addition.field} = ${addition.number}`, () => {
      const field = messageType(addition.message).fields[addition.field];
      assert.equal(field?.id, addition.number);
      assert.equal(field?.resolve().resolvedType?.fullName, `.${addition.type}`);
    });
  }
}

test('a field that was added survives encoding and decoding', () => {
  const name = 'envoy.config.core.v3.HttpProtocolOptions';
  const { max_response_headers_kb } = decode(name, encode(name, { max_response_headers_kb: 96 }));
  assert.deepEqual(max_response_headers_kb, { value: 96 });
});
