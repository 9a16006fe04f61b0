import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import { encodeAccessLogs } from '../../../controller/wire/access-log.ts';
import { decodeAccessLogs } from '../../../controller/wire/access-log-decoder.ts';
import { canonicalAddress } from '../../../controller/wire/kubernetes/address.ts';

const NODE = 'egress~10.1.0.9~egress-0.lazyscope~lazyscope.svc.cluster.local';

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
const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalAddress(text) ?? text);
const socket = fc.record({ address, port });
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
