/** Whatever becomes of the streams that tell them, the same connections make the same graph. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AccessLogEntry } from '../../../controller/core/model.ts';
import { encodeAccessLogs, encodeIdentifier } from '../../../controller/wire/access-log.ts';
import { entry } from '../../support/mesh-objects.ts';
import { Mesh } from '../pipeline-mesh.ts';
import { AccessLogServer, framed } from './access-log-server.ts';

const nodeId = (index: number): string =>
  `egress~10.0.9.${index}~egress-${index}.lazyscope~lazyscope.svc.cluster.local`;
const FIRST = encodeIdentifier(nodeId(1));
const SECOND = encodeIdentifier(nodeId(2));

const http = (host: string, startTime: number): AccessLogEntry =>
  entry('10.0.0.1', '10.96.0.1:80', { protocol: 'HTTP1', host, startTime });
/** Two services, one of them by two names and with an entry of every phase; what stays relayed; a scanner's knock. */
const ENTRIES: readonly AccessLogEntry[] = [
  http('x.com', 1_000),
  http('cart', 2_000),
  { ...http('cart', 2_000), phase: 'Periodic' },
  { ...http('cart', 2_000), phase: 'End' },
  http('cart.shop', 9_000),
  http('pay.bank', 4_000),
  entry('10.0.0.2', '10.96.0.1:9000', { startTime: 3_000 }),
  entry('10.0.0.2', '93.184.216.34:443', { startTime: 5_000, protocol: 'TLS', serverName: 'example.com' }),
  entry('10.0.0.1', '10.96.0.2:80', { startTime: 6_000, answered: false }),
];

/** Each entry in a message of its own. */
const messages = (entries: readonly AccessLogEntry[]): Uint8Array[] =>
  entries.flatMap((one) => encodeAccessLogs([one]));
const ALL = messages(ENTRIES);
const frames = (...all: readonly Uint8Array[]): Buffer => Buffer.concat(all.map(framed));

/** What the graph says, but for how often: that is counted as often as it is told. */
async function graphAfter(t: TestContext, tell: (server: AccessLogServer, mesh: Mesh) => Promise<void>) {
  const mesh = await new Mesh().start();
  t.after(() => mesh.pipeline.stop());
  await tell(await AccessLogServer.start(t, { sink: mesh.pipeline }), mesh);
  return mesh.pipeline.reports
    .edges({})
    .map(({ from, to, port, protocol, relayReason, firstSeen, lastSeen }) =>
      JSON.stringify({ from, to, port, protocol, relayReason, firstSeen, lastSeen }),
    )
    .sort();
}

const seen = (mesh: Mesh): number => mesh.pipeline.counts.entries.attributed + mesh.pipeline.counts.entries.unanswered;

const WAYS: Record<string, (server: AccessLogServer, mesh: Mesh) => Promise<void>> = {
  'in one message of each kind': (server) => server.send(FIRST, ...encodeAccessLogs(ENTRIES)),
  'out of order': (server) => server.send(FIRST, ...ALL.toReversed()),
  'each twice': (server) => server.send(FIRST, ...ALL.flatMap((message) => [message, message])),
  'by a stream that is replayed after its end': async (server) => {
    for (let time = 0; time < 3; time += 1) await server.send(FIRST, ...ALL);
  },
  'by two streams of one egress at once': async (server) => {
    await Promise.all([server.send(FIRST, ...ALL), server.send(FIRST, ...ALL)]);
  },
  'by two egresses, half each': async (server) => {
    await Promise.all([server.send(FIRST, ...ALL.slice(0, 4)), server.send(SECOND, ...ALL.slice(4))]);
  },
  'with messages between them that cannot be read': (server) =>
    server.send(FIRST, ...ALL.flatMap((message) => [Buffer.from([0xff]), message, message.subarray(0, -1)])),
};
for (const how of ['reset', 'closed'] as const) {
  WAYS[`by a stream that is ${how} in the middle of a message, and its successor`] = async (server, mesh) => {
    const whole = frames(FIRST, ...ALL.slice(0, 4));
    const half = framed(ALL[4] ?? FIRST).subarray(0, 50);
    await server.sendBytes(Buffer.concat([whole, half]), how, () => seen(mesh) === 4);
    await server.send(FIRST, ...ALL.slice(2));
  };
}

for (const [way, tell] of Object.entries(WAYS)) {
  test(`the same graph comes of entries ${way}`, async (t) => {
    const expected = await graphAfter(t, (server) => server.send(FIRST, ...ALL));
    assert.equal(expected.length, 4);
    assert.deepEqual(await graphAfter(t, tell), expected);
  });
}
