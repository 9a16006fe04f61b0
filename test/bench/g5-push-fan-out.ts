/**
 * G5, push fan-out: 2,000 sidecars, an endpoint of a service moves. What it costs where 20 of them use the service,
 * beside go-control-plane's SnapshotCache as control planes use it: they make a snapshot for each node and set it. And
 * how long it takes until all have acknowledged where all of them use it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVERYBODYS, FEW, OF_FEW, type SharedMesh } from './fan-out/shared-mesh.ts';
import { assertSameAnswers, type XdsServer, XdsSide } from './fan-out/xds-side.ts';
import { type Block, type Pair, pairedBlocks, rate, rateRatio } from './method/paired-blocks.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, median, percentile } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const MESH: SharedMesh = { clients: 2_000, services: 1_000, dependencies: 5, endpoints: 10 };
const PAIRS = 10;
const BLOCK_MS = 3_000;
const CHANGES_FOR_ALL = 40;
/** Until compilers have seen the code: their work is no push's. */
const WARM_UP = 10;
const LAST_ACK_MS = 100;
const CONTENDER = 'the controller, direct mode';
/** Where endpoints are moved to when answers are compared; no measurement moves them that often. */
const COMPARED_VARIANT = 60_000;

export const pushFanOut: Bench = async (say) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-bench-'));
  const sides: XdsSide[] = [];
  const start = async (kind: XdsServer): Promise<MovingMesh> => {
    const side = await XdsSide.start(kind, MESH, join(folder, 'mesh.json'));
    sides.push(side);
    return new MovingMesh(side);
  };
  try {
    const [ours, theirs] = [await start('controller'), await start('snapshot')];
    await assertSame(ours, theirs, 0);
    const toAll = await lastAcknowledgements(ours, theirs, say);
    const pairs = await pairedBlocks(block(ours), block(theirs), PAIRS);
    const narrow = await block(theirs, { narrow: true })();
    await assertSame(ours, theirs, 1);
    const linear = await block(await start('linear'))();
    const results = [costOfFew(pairs, { narrow, linear }), toAll];
    say(`  relevant to ${FEW}: CPU ms per change ${JSON.stringify(results[0]?.details)}`);
    return results;
  } finally {
    for (const side of sides) await side.stop();
    rmSync(folder, { recursive: true });
  }
};

/** Moves endpoints to where they have not been yet. */
class MovingMesh {
  readonly side: XdsSide;
  #variant = 0;

  constructor(side: XdsSide) {
    this.side = side;
  }

  /** @returns milliseconds until the last acknowledgement */
  async toFew(options: { readonly narrow?: boolean }): Promise<number> {
    this.#variant += 1;
    return this.side.change({ index: OF_FEW, variant: this.#variant, expect: FEW, ...options });
  }

  /** @returns milliseconds until the last acknowledgement */
  async toAll(): Promise<number> {
    this.#variant += 1;
    return this.side.change({ index: EVERYBODYS, variant: this.#variant, expect: MESH.clients });
  }
}

async function assertSame(ours: MovingMesh, theirs: MovingMesh, round: number): Promise<void> {
  const variant = COMPARED_VARIANT + round;
  await assertSameAnswers(ours.side, theirs.side, { index: OF_FEW, variant, expect: FEW });
  await assertSameAnswers(ours.side, theirs.side, { index: EVERYBODYS, variant, expect: MESH.clients });
}

function block(mesh: MovingMesh, options: { readonly narrow?: boolean } = {}): () => Promise<Block> {
  return async () => {
    for (let change = 0; change < WARM_UP; change += 1) await mesh.toFew(options);
    const [began, before] = [performance.now(), mesh.side.cpuSeconds()];
    let changes = 0;
    for (; performance.now() - began < BLOCK_MS; changes += 1) await mesh.toFew(options);
    return { units: changes, cpuSeconds: mesh.side.cpuSeconds() - before };
  };
}

/** CPU milliseconds for a change. */
const cost = (some: Block): number => 1_000 / rate(some);
const costRatio = (pair: Pair): number => 1 / rateRatio(pair);

function costOfFew(pairs: readonly Pair[], others: { readonly narrow: Block; readonly linear: Block }): BenchResult {
  return atMost({
    goal: 'G5',
    contender: CONTENDER,
    peer: 'go-control-plane, SnapshotCache',
    versions: versions(),
    unit: `CPU per change relevant to ${FEW} of ${MESH.clients} clients`,
    ratio: median(pairs.map(costRatio)),
    ci95: bootstrap95(pairs, (some) => median(some.map(costRatio))),
    target: 1 / 20,
    details: {
      ours: median(pairs.map(({ ours }) => cost(ours))),
      snapshotCache: median(pairs.map(({ theirs }) => cost(theirs))),
      snapshotCacheWhereOnlyAffectedNodesAreSet: cost(others.narrow),
      linearCache: cost(others.linear),
    },
  });
}

/** In turns, so that what drifts hits both alike. */
async function lastAcknowledgements(
  ours: MovingMesh,
  theirs: MovingMesh,
  say: (line: string) => void,
): Promise<BenchResult> {
  const changes: { readonly ours: AllTold; readonly theirs: AllTold }[] = [];
  for (let change = 0; change < WARM_UP + CHANGES_FOR_ALL; change += 1) {
    changes.push({ ours: await allTold(ours), theirs: await allTold(theirs) });
  }
  const warm = changes.slice(WARM_UP);
  const details = { ours: summary(warm.map((each) => each.ours)), theirs: summary(warm.map((each) => each.theirs)) };
  say(`  relevant to all: ms to the last acknowledgement ${JSON.stringify(details)}`);
  const ratio = (some: typeof warm): number => median(some.map((each) => each.ours.ms)) / LAST_ACK_MS;
  return atMost({
    goal: 'G5 to all',
    contender: CONTENDER,
    peer: `the goal of ${LAST_ACK_MS} ms`,
    versions: versions(),
    unit: `median ms to the last acknowledgement of ${MESH.clients} clients`,
    ratio: ratio(warm),
    ci95: bootstrap95(warm, (some) => ratio([...some])),
    target: 1,
    details,
  });
}

interface AllTold {
  /** Until the last acknowledgement. */
  readonly ms: number;
  /** What of it the server has computed: the rest is the clients' time, and that of whatever else runs. */
  readonly cpuMs: number;
}

async function allTold(mesh: MovingMesh): Promise<AllTold> {
  const before = mesh.side.cpuSeconds();
  const ms = await mesh.toAll();
  return { ms, cpuMs: (mesh.side.cpuSeconds() - before) * 1_000 };
}

function summary(told: readonly AllTold[]) {
  const times = told.map(({ ms }) => ms);
  const cpuMs = told.reduce((sum, each) => sum + each.cpuMs, 0) / told.length;
  return { p50: median(times), p95: percentile(times, 0.95), max: Math.max(...times), cpuMs };
}
