/**
 * G7, cold-request cost: what the first request to an unknown service takes through our egress while others cross it,
 * beside an Envoy in its place, and beside a sidecar that knows the service already.
 */

import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, percentile } from './method/statistics.ts';
import { versions } from './method/versions.ts';
import { ColdMesh, type Hop, type Latencies } from './relay/cold-mesh.ts';

/** Each with sidecars that know nothing yet. */
const PASSES = 3;
const EDGES = 1_000;
/** Short ones: what differs from one second to the next hits both sides. */
const ROUNDS = 40;
const DEMAND = { count: EDGES / ROUNDS, perSecond: 50, besides: 2_000 } as const;
const MOST_ADDED_MS = 0.3;
const HOPS: readonly Hop[] = ['our egress', 'Envoy', 'none'];

type Round = Readonly<Record<Hop, Latencies>>;

export const coldRequests: Bench = async (say) => {
  const rounds: Round[] = [];
  for (let passes = 0; passes < PASSES; passes += 1) rounds.push(...(await pass()));
  for (const hop of HOPS) say(`  ${described(hop, rounds)}`);
  return results(rounds);
};

async function pass(): Promise<Round[]> {
  const meshes: [Hop, ColdMesh][] = [];
  try {
    for (const hop of HOPS) meshes.push([hop, await ColdMesh.open(EDGES, hop)]);
    const rounds: Round[] = [];
    while (rounds.length < ROUNDS) rounds.push(await round(rounds.length % 2 === 0 ? meshes : meshes.toReversed()));
    for (const [, mesh] of meshes) await mesh.proveWay();
    return rounds;
  } finally {
    for (const [, mesh] of meshes) mesh.destroy();
  }
}

async function round(meshes: readonly (readonly [Hop, ColdMesh])[]): Promise<Round> {
  const measured: [Hop, Latencies][] = [];
  for (const [hop, mesh] of meshes) measured.push([hop, await mesh.callNew(DEMAND)]);
  return Object.fromEntries(measured) as Round;
}

/** Milliseconds, over all requests of the rounds. */
function latency(rounds: readonly Round[], hop: Hop, share: number, kind: keyof Latencies = 'cold'): number {
  const all = rounds.flatMap((each) => each[hop][kind]);
  return percentile(all, share) / 1_000;
}

function described(hop: Hop, rounds: readonly Round[]): string {
  const of = (kind: keyof Latencies): string => {
    const [half, nearlyAll] = [latency(rounds, hop, 0.5, kind), latency(rounds, hop, 0.99, kind)];
    return `p50 ${half.toFixed(2)}, p99 ${nearlyAll.toFixed(2)} ms`;
  };
  return `${hop === 'none' ? 'direct' : `through ${hop}`}: first requests ${of('cold')}; others ${of('warm')}`;
}

/** Milliseconds: 50th, 90th, 99th and 100th percentile. */
function summary(rounds: readonly Round[], hop: Hop): object {
  const of = (some: readonly Round[], kind: keyof Latencies): readonly number[] =>
    [0.5, 0.9, 0.99, 1].map((share) => latency(some, hop, share, kind));
  return {
    first: of(rounds, 'cold'),
    others: of(rounds, 'warm'),
    firstOfEachRound: rounds.map((each) => of([each], 'cold')),
  };
}

function results(rounds: readonly Round[]): BenchResult[] {
  const added = (to: Hop) => (some: readonly Round[]) =>
    (latency(some, 'our egress', 0.5) - latency(some, to, 0.5)) / MOST_ADDED_MS;
  const tail = (some: readonly Round[]): number => latency(some, 'our egress', 0.99) / latency(some, 'Envoy', 0.99);
  const common = {
    contender: 'our egress',
    versions: versions(),
    details: {
      demand: DEMAND,
      egress: summary(rounds, 'our egress'),
      envoy: summary(rounds, 'Envoy'),
      direct: summary(rounds, 'none'),
    },
  };
  const toDirect = 'a sidecar that knows the service';
  const toEnvoy = 'an Envoy in its place';
  const unit = `ms added to the median first request, to the goal of ${MOST_ADDED_MS}`;
  const of = (ratioOf: (some: readonly Round[]) => number) => ({
    ratio: ratioOf(rounds),
    ci95: bootstrap95(rounds, ratioOf),
  });
  return [
    atMost({ ...common, goal: 'G7', peer: toDirect, unit, ...of(added('none')), target: 1 }),
    atMost({ ...common, goal: 'G7', peer: toEnvoy, unit, ...of(added('Envoy')), target: 1 }),
    atMost({ ...common, goal: 'G7 tail', peer: toEnvoy, unit: 'p99 of first requests', ...of(tail), target: 1.3 }),
  ];
}
