/**
 * G7, cold-request cost: what the first request to an unknown service takes through our egress while others cross it,
 * beside an Envoy in its place, and beside a sidecar that knows the service already.
 */
import { ColdMesh, type Hop, type Latencies } from './cold-mesh.ts';
import { atMost, type Bench, type BenchResult } from './result.ts';
import { bootstrap95, percentile } from './statistics.ts';
import { versions } from './versions.ts';

const EDGES = 1_000;
const ROUNDS = 10;
const DEMAND = { count: EDGES / ROUNDS, perSecond: 50, besides: 2_000 } as const;
const MOST_ADDED_MS = 0.3;

type Round = Readonly<Record<Hop, Latencies>>;

export const coldRequests: Bench = async (say) => {
  const meshes: [Hop, ColdMesh][] = [];
  try {
    for (const hop of ['our egress', 'Envoy', 'none'] as const) meshes.push([hop, await ColdMesh.open(EDGES, hop)]);
    const rounds: Round[] = [];
    while (rounds.length < ROUNDS) rounds.push(await round(rounds.length % 2 === 0 ? meshes : meshes.toReversed()));
    for (const [hop] of meshes) say(`  ${described(hop, rounds)}`);
    return results(rounds);
  } finally {
    for (const [, mesh] of meshes) mesh.destroy();
  }
};

async function round(meshes: readonly (readonly [Hop, ColdMesh])[]): Promise<Round> {
  const measured: [Hop, Latencies][] = [];
  for (const [hop, mesh] of meshes) measured.push([hop, await mesh.callNew(DEMAND)]);
  return Object.fromEntries(measured) as Round;
}

/** Milliseconds, over all requests of the rounds. */
function cold(rounds: readonly Round[], hop: Hop, share: number): number {
  return (
    percentile(
      rounds.flatMap((each) => each[hop].cold),
      share,
    ) / 1_000
  );
}

function described(hop: Hop, rounds: readonly Round[]): string {
  const of = (kind: keyof Latencies, share: number): string =>
    (
      percentile(
        rounds.flatMap((each) => each[hop][kind]),
        share,
      ) / 1_000
    ).toFixed(2);
  const name = hop === 'none' ? 'direct' : `through ${hop}`;
  return `${name}: first requests p50 ${of('cold', 0.5)}, p99 ${of('cold', 0.99)} ms; others p50 ${of('warm', 0.5)}, p99 ${of('warm', 0.99)} ms`;
}

function results(rounds: readonly Round[]): BenchResult[] {
  const added = (to: Hop) => (some: readonly Round[]) =>
    (cold(some, 'our egress', 0.5) - cold(some, to, 0.5)) / MOST_ADDED_MS;
  const tail = (some: readonly Round[]): number => cold(some, 'our egress', 0.99) / cold(some, 'Envoy', 0.99);
  const common = { contender: 'our egress', versions: versions(), details: { demand: DEMAND, rounds } };
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
