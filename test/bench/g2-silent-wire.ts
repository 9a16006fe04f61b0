/**
 * G2, silent wire: an endpoint of a service moves, 1,000 times. Bytes that sidecars receive which do not use the
 * service, and those which do, beside the resource itself and beside go-control-plane. Counted exactly: every HTTP/2
 * frame that carries a message counts in full, frames that keep a connection alive are counted apart.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { addedTraffic, NO_BYTES, type SentBytes, sentBytes, sumOf } from './fan-out/sent-bytes.ts';
import { type SharedMesh, usersOf } from './fan-out/shared-mesh.ts';
import { assertSameAnswers, type XdsServer, XdsSide } from './fan-out/xds-side.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95 } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const SERVERS: readonly XdsServer[] = ['controller', 'snapshot', 'linear'];
const PEERS = { snapshot: 'go-control-plane, SnapshotCache', linear: 'go-control-plane, LinearCache' } as const;
/** A small service, and one that is so large that what surrounds the resource is little beside it. */
const ENDPOINTS = [10, 100] as const;
const CHANGES = 1_000;
/** After the last change of a sample: what was sent to nobody's benefit arrives too. */
const SILENCE_MS = 300;
const SAMPLES = 10;
const CONTENDER = 'the controller, direct mode';

export const silentWire: Bench = async (say) => {
  const results: BenchResult[] = [];
  for (const endpoints of ENDPOINTS) {
    const sent = await measure({ clients: 200, services: 500, dependencies: 5, endpoints });
    for (const server of SERVERS) say(`  ${endpoints} endpoints, ${server}: ${JSON.stringify(sumOf(sent[server]))}`);
    results.push(...resultsOf(sent, endpoints));
  }
  return results;
};

type Sent = Readonly<Record<XdsServer, readonly SentBytes[]>>;

async function measure(mesh: SharedMesh): Promise<Sent> {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-bench-'));
  const sides: XdsSide[] = [];
  try {
    for (const kind of SERVERS) sides.push(await XdsSide.start(kind, mesh, join(folder, 'mesh.json')));
    const [controller, snapshot, linear] = sides as [XdsSide, XdsSide, XdsSide];
    const users = usersOf(mesh);
    const expect = users[0]?.length ?? 0;
    const sent = {
      controller: await samples(controller, users),
      snapshot: await samples(snapshot, users),
      linear: await samples(linear, users),
    };
    await assertSameAnswers(controller, snapshot, { index: 0, variant: CHANGES + 1, expect });
    await assertSameAnswers(controller, linear, { index: 0, variant: CHANGES + 2, expect });
    return sent;
  } finally {
    for (const side of sides) await side.stop();
    rmSync(folder, { recursive: true });
  }
}

async function samples(side: XdsSide, users: readonly (readonly number[])[]): Promise<readonly SentBytes[]> {
  const all: SentBytes[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    let sent = NO_BYTES;
    for (let change = 1; change <= CHANGES / SAMPLES; change += 1) {
      const variant = (sample * CHANGES) / SAMPLES + change;
      const index = variant % users.length;
      const of = new Set(users[index]);
      const before = await side.traffic();
      await side.change({ index, variant, expect: of.size });
      if (change === CHANGES / SAMPLES) await delay(SILENCE_MS);
      sent = sumOf([sent, sentBytes(addedTraffic(before, await side.traffic()), of)]);
    }
    all.push(sent);
  }
  return all;
}

/** Bytes that a client which does not use the service receives for a change. */
const toOther = (some: readonly SentBytes[]): number => sumOf(some).toOthers / sumOf(some).others;
/** Bytes that a client which uses it receives, for each of the resource. */
const perResourceByte = (some: readonly SentBytes[]): number => sumOf(some).toUsers / sumOf(some).resources;
const toUser = (some: readonly SentBytes[]): number => sumOf(some).toUsers / sumOf(some).users;

function resultsOf(sent: Sent, endpoints: number): readonly BenchResult[] {
  const { controller } = sent;
  const common = { contender: CONTENDER, versions: versions(), details: { endpoints, changes: CHANGES, sent } };
  const besidePeers = Object.entries(PEERS).map(([kind, peer]) => {
    const theirs = sent[kind as keyof typeof PEERS];
    // The same changes on both sides: each sample beside its own counterpart.
    const pairs = controller.map((ours, sample) => ({ ours, theirs: theirs[sample] ?? NO_BYTES }));
    const ratio = (some: typeof pairs): number =>
      toUser(some.map(({ ours }) => ours)) / toUser(some.map((pair) => pair.theirs));
    return atMost({
      ...common,
      goal: 'G2 peer',
      peer,
      unit: `bytes to a user per change, ${endpoints} endpoints`,
      ratio: ratio(pairs),
      ci95: bootstrap95(pairs, (some) => ratio([...some])),
      target: 1.1,
    });
  });
  return [
    atMost({
      ...common,
      goal: 'G2 others',
      peer: 'silence',
      unit: `bytes to who does not use the service per change, ${endpoints} endpoints`,
      ratio: toOther(controller),
      ci95: bootstrap95(controller, toOther),
      target: 0,
    }),
    atMost({
      ...common,
      goal: 'G2 users',
      peer: 'the one resource',
      unit: `bytes to a user per change, ${endpoints} endpoints`,
      ratio: perResourceByte(controller),
      ci95: bootstrap95(controller, perResourceByte),
      target: 1.1,
    }),
    ...besidePeers,
  ];
}
