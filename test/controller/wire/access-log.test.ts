import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import {
  decodeAccessLogs,
  EGRESS_LOG_NAME,
  encodeAccessLogs,
  encodeIdentifier,
  encodeRefusals,
} from '../../../controller/wire/access-log.ts';
import { encode, type PlainMessage } from '../../../controller/wire/messages.ts';

const NODE = 'egress~10.1.0.9~egress-0.lazyscope~lazyscope.svc.cluster.local';
const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';

const ENTRY: AccessLogEntry = {
  phase: 'Start',
  reporter: NODE,
  startTime: Date.UTC(2026, 0, 31, 12, 0, 0, 123),
  source: { address: '10.1.0.10', port: 40_000 },
  destination: { address: '10.96.0.10', port: 80 },
  protocol: 'TCP',
  answered: true,
  counters: { connections: 1, requests: 0, bytesSent: 0, bytesReceived: 0, errors: 0 },
};

/** The entries as a controller reads them. */
function roundTrip(entries: readonly AccessLogEntry[]): AccessLogEntry[] {
  return encodeAccessLogs(entries).flatMap((bytes) => {
    const { entries: decoded, problems, nodeId } = decodeAccessLogs(bytes, NODE);
    assert.deepEqual([problems, nodeId], [[], undefined]);
    return [...decoded];
  });
}

const VARIANTS: readonly (readonly [string, Partial<AccessLogEntry>])[] = [
  ['a TCP connection', {}],
  ['TLS with a server name', { protocol: 'TLS', serverName: 'cart.shop.svc' }],
  ['TLS without a server name', { protocol: 'TLS' }],
  ['HTTP/1 with a host and its port', { protocol: 'HTTP1', host: 'cart.shop:8080' }],
  ['HTTP/1 without a host', { protocol: 'HTTP1' }],
  ['HTTP/2', { protocol: 'HTTP2' }],
  [
    'a re-announcement',
    { phase: 'Periodic', counters: { connections: 2, requests: 3, bytesSent: 4, bytesReceived: 5, errors: 6 } },
  ],
  ['an end', { phase: 'End', protocol: 'HTTP1' }],
  ['a dial that failed', { answered: false }],
  ['IPv6', { source: { address: 'fd00::a', port: 1 }, destination: { address: 'fd00::b', port: 65_535 } }],
  ['a time on a full second', { startTime: 1_780_000_000_000 }],
];

for (const [what, parts] of VARIANTS) {
  test(`${what} comes back as it was`, () => {
    assert.deepEqual(roundTrip([{ ...ENTRY, ...parts }]), [{ ...ENTRY, ...parts }]);
  });
}

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const port = fc.integer({ min: 0, max: 65_535 });
const socket = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port });
const common = {
  phase: fc.constantFrom('Start', 'Periodic', 'End'),
  reporter: fc.constant(NODE),
  startTime: fc.integer({ min: 0, max: Date.UTC(2100, 0) }),
  source: socket,
  destination: socket,
  answered: fc.boolean(),
  counters: fc.record({ connections: count, requests: count, bytesSent: count, bytesReceived: count, errors: count }),
} as const;
const text = fc.string({ minLength: 1, unit: 'grapheme' });
const requiredKeys = [
  'phase',
  'reporter',
  'startTime',
  'source',
  'destination',
  'answered',
  'counters',
  'protocol',
] as const;
const entries: fc.Arbitrary<AccessLogEntry> = fc.oneof(
  fc.record(
    { ...common, protocol: fc.constantFrom('HTTP1', 'HTTP2'), host: text },
    { requiredKeys: [...requiredKeys] },
  ),
  fc.record({ ...common, protocol: fc.constant('TLS'), serverName: text }, { requiredKeys: [...requiredKeys] }),
  fc.record({ ...common, protocol: fc.constant('TCP') }),
);
const isHttp = ({ protocol }: AccessLogEntry): boolean => protocol === 'HTTP1' || protocol === 'HTTP2';

test('all entries come back, HTTP ones before the others, each kind in order', () => {
  fc.assert(
    fc.property(fc.array(entries.map((entry) => structuredClone(entry))), (all) => {
      assert.deepEqual(roundTrip(all), [...all.filter(isHttp), ...all.filter((entry) => !isHttp(entry))]);
    }),
  );
});

test('no entries are no message', () => {
  assert.deepEqual(encodeAccessLogs([]), []);
});

test('the first message names node and log, and its node is the reporter of its entries', () => {
  const decoded = decodeAccessLogs(encodeIdentifier(NODE), '');
  assert.deepEqual(decoded, { nodeId: NODE, logName: EGRESS_LOG_NAME, entries: [], problems: [] });
});

const ADDRESS = { socket_address: { address: '10.1.0.10', port_value: 1 } };
const GOOD = {
  downstream_remote_address: ADDRESS,
  downstream_local_address: ADDRESS,
  start_time: { seconds: 1, nanos: 0 },
  access_log_type: 'TcpConnectionEnd',
};

const SKIPPED: readonly (readonly [string, PlainMessage | undefined, RegExp])[] = [
  ['nothing', undefined, /downstream_remote_address or downstream_local_address is missing/],
  ['no source', { ...GOOD, downstream_remote_address: undefined }, /downstream_remote_address/],
  [
    'a pipe as destination',
    { ...GOOD, downstream_local_address: { pipe: { path: '/x' } } },
    /downstream_local_address/,
  ],
  ['another type', { ...GOOD, access_log_type: 'NotSet' }, /access_log_type NotSet is not one we read/],
  ['no time', { ...GOOD, start_time: undefined }, /start_time is missing/],
  ['a time that is no date', { ...GOOD, start_time: { seconds: 1e15, nanos: 0 } }, /start_time is not between/],
];

for (const [what, properties, reason] of SKIPPED) {
  test(`an entry with ${what} is skipped by name; its neighbours are read`, () => {
    const bad = properties === undefined ? {} : { common_properties: properties };
    const log_entry = [{ common_properties: GOOD }, bad, { common_properties: GOOD }];
    const { entries: read, problems } = decodeAccessLogs(encode(MESSAGE, { tcp_logs: { log_entry } }), NODE);
    assert.equal(read.length, 2);
    assert.equal(problems.length, 1);
    assert.equal(problems[0]?.subject, `access log entry of ${NODE}`);
    assert.match(problems[0]?.reason ?? '', reason);
  });
}

test('refusals come back by their source and are no entries', () => {
  const refusals = new Map([
    ['10.0.0.1', 7],
    ['fd00::1', 1],
  ]);
  assert.deepEqual(decodeAccessLogs(encodeRefusals(refusals), NODE), { entries: [], refusals, problems: [] });
});

test('counters that are no counts are zero', () => {
  const custom_tags = { connections: '-1', requests: 'many', bytesSent: '1.5', bytesReceived: '7' };
  const log_entry = [{ common_properties: { ...GOOD, custom_tags } }];
  const { entries: read } = decodeAccessLogs(encode(MESSAGE, { tcp_logs: { log_entry } }), NODE);
  assert.deepEqual(read[0]?.counters, { connections: 0, requests: 0, bytesSent: 0, bytesReceived: 7, errors: 0 });
});

test('half a message is refused, never misread', () => {
  const [bytes = new Uint8Array()] = encodeAccessLogs([ENTRY, ENTRY]);
  for (let length = 1; length < bytes.length; length += 1) {
    assert.throws(() => decodeAccessLogs(bytes.subarray(0, length), NODE), `cut at ${length}`);
  }
});
