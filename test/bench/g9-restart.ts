/**
 * G9: kill -9 of the controller that has learned everything, under load, twenty times: how long until its successor
 * serves, whether it knows every edge, and whether it wrote anything.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EdgeReport } from '../../controller/core/report.ts';
import type { IstioMesh } from '../mesh/bed/istio-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { runListWatch } from './g8-footprint.ts';
import { launch, ready } from './large-mesh/controller.ts';
import { EDGES, type LearnedMesh, learnedMesh } from './large-mesh/learned-mesh.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, median, percentile } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const KILLS = 20;
const PEER_RUNS = 3;
const TARGET_MS = 2_000;
/** Entries a second while controllers die. */
const LOAD = 2_000;
/** From one start to the next kill, at most. */
const LONGEST_LIFE_MS = 1_500;
/** What it has written by then, it would have written without the kills, too. */
const QUIET_MS = 5_000;

/** Resource version by name. */
type Written = ReadonlyMap<string, string>;

export const restart: Bench = async (say) => {
  const learned = await learnedMesh(say);
  const { mesh } = learned.large;
  const peers: number[] = [];
  for (let run = 0; run < PEER_RUNS; run += 1) peers.push((await runListWatch(learned.large)).syncedMs);
  await learned.feed.trickle(LOAD);
  const [edges, written] = [await edgesOf(mesh), await sidecarVersions(mesh)];
  if (edges.size !== EDGES) throw new Error(`Before the first kill there are ${edges.size} edges of ${EDGES}`);
  const times: number[] = [];
  let unlearned = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await delay(Math.random() * LONGEST_LIFE_MS);
    times.push(await killAndServe(mesh));
    const known = await edgesOf(mesh);
    unlearned += [...edges].filter((edge) => !known.has(edge)).length;
  }
  await leadsAgain(mesh);
  const after = await sidecarVersions(mesh);
  const rewritten = [...after].filter(([name, version]) => written.get(name) !== version).length;
  if (unlearned > 0) throw new Error(`${unlearned} edges were forgotten: a fast wrong answer is none`);
  const gone = written.size - after.size;
  if (rewritten + gone !== 0)
    throw new Error(`${rewritten} of ${written.size} Sidecars were written, ${gone} are gone`);
  const worst = percentile(times, 1);
  say(
    `  ${KILLS} kills: median ${median(times).toFixed(0)} ms, worst ${worst.toFixed(0)} ms; ListWatch ${peers.map(Math.round)}`,
  );
  return results(learned, times, peers);
};

/** Milliseconds from the kill to the first answer that it is ready. */
async function killAndServe({ controller }: IstioMesh): Promise<number> {
  const began = performance.now();
  await controller.stop('SIGKILL');
  launch(controller);
  await ready(controller);
  return performance.now() - began;
}

/** Those that are in a scope; other states would be a loss. */
async function edgesOf({ controller }: IstioMesh): Promise<Set<string>> {
  const edges: readonly EdgeReport[] = await controller.api.edges();
  return new Set(edges.filter(({ state }) => state === 'active').map(({ from, to, port }) => `${from} ${to}:${port}`));
}

async function sidecarVersions(mesh: IstioMesh): Promise<Written> {
  const sidecars = await mesh.sidecars();
  return new Map(
    sidecars.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, metadata.resourceVersion] as const),
  );
}

/** Waits until the last successor may write, and would have. */
async function leadsAgain({ controller }: IstioMesh): Promise<void> {
  const leads = (): boolean => {
    const log = controller.process.log();
    return log.lastIndexOf('"msg":"Leading"') > log.lastIndexOf('"msg":"Starting"');
  };
  await eventually('the last successor leads', leads, { timeoutMs: 60_000, intervalMs: 250 });
  await delay(QUIET_MS);
}

function results({ large }: LearnedMesh, times: readonly number[], peers: readonly number[]): readonly BenchResult[] {
  const common = {
    contender: 'controller, kill -9 to serving',
    versions: versions(),
    details: {
      times,
      peers,
      worst: percentile(times, 1),
      services: large.services,
      endpoints: large.endpoints,
      edges: EDGES,
    },
  };
  return [
    atMost({
      ...common,
      goal: 'G9',
      peer: `the goal of ${TARGET_MS} ms`,
      unit: 'median ms',
      ratio: median(times) / TARGET_MS,
      ci95: bootstrap95(times, (some) => median(some) / TARGET_MS),
      target: 1,
    }),
    atMost({
      ...common,
      goal: 'G9b',
      peer: 'client-node ListWatch, start to synced',
      unit: 'median ms',
      ratio: median(times) / median(peers),
      ci95: bootstrap95(times, (some) => median(some) / median(peers)),
      target: 1,
    }),
  ];
}
