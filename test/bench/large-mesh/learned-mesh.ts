/** One large mesh for all benchmarks of a run, and what its controller learns from a million log entries. */

import { eventually } from '../../support/eventually.ts';
import { inParallel } from '../../support/in-parallel.ts';
import { apiWrites, writesBetween } from './api-writes.ts';
import { runAsPod, startInspectable } from './controller.ts';
import { LargeMeshFeed } from './feed.ts';
import { LargeMesh, WORKLOADS } from './large-mesh.ts';
import { largeWorkload, PODS_PER_WORKLOAD } from './objects.ts';

const DEPENDENCIES = 50;
export const EDGES = WORKLOADS * DEPENDENCIES;
/** Times that each edge is told. */
const PASSES = 20;
const PATIENCE = { timeoutMs: 300_000, intervalMs: 500 };

type Say = (line: string) => void;

export interface LearnedMesh {
  readonly large: LargeMesh;
  readonly feed: LargeMeshFeed;
  readonly entries: number;
  /** Writes at the API server while all was learned, by resource. */
  readonly writes: Readonly<Record<string, number>>;
  /** From the first entry to the last edge that is active. */
  readonly seconds: number;
}

let opened: Promise<LargeMesh> | undefined;
let learned: Promise<LearnedMesh> | undefined;

/** The mesh, as large as it is by now; its controller does not run unless it has learned. */
export async function largeMesh(say: Say): Promise<LargeMesh> {
  opened ??= open(say);
  return opened;
}

/** The whole mesh, every workload enforced, its controller running with everything learned. */
export async function learnedMesh(say: Say): Promise<LearnedMesh> {
  learned ??= learn(say);
  return learned;
}

/** Ends what was opened. */
export async function closeLargeMesh(): Promise<void> {
  const large = await opened?.catch(() => undefined);
  large?.destroy();
}

async function open(say: Say): Promise<LargeMesh> {
  say('  starting etcd, kube-apiserver and istiod');
  const large = await LargeMesh.open();
  await runAsPod(large.mesh);
  return large;
}

async function learn(say: Say): Promise<LearnedMesh> {
  const large = await largeMesh(say);
  await large.grow(WORKLOADS);
  const { controller, bed } = large.mesh;
  const namespaces = new Set(Array.from({ length: WORKLOADS }, (_, index) => largeWorkload(index).namespace));
  await inParallel([...namespaces], 8, (namespace) => large.mesh.enforce(namespace));
  await startInspectable(controller);
  const callers = { first: 0, workloads: WORKLOADS, dependencies: DEPENDENCIES, pods: PODS_PER_WORKLOAD };
  const feed = await LargeMeshFeed.start(large, callers);
  const before = await apiWrites(bed.client.access);
  const began = performance.now();
  const entries = await feed.feed(PASSES);
  const isCounted = async (): Promise<boolean> =>
    (await controller.metric('lazyscope_access_log_entries_total', 'result="attributed"')) >= entries;
  await eventually('every entry is attributed', isCounted, PATIENCE);
  const allActive = async (): Promise<boolean> => (await controller.metric('lazyscope_edges', 'active')) === EDGES;
  await eventually('every edge is active', allActive, PATIENCE);
  const seconds = (performance.now() - began) / 1_000;
  const writes = writesBetween(before, await apiWrites(bed.client.access));
  say(`  ${entries} entries, ${EDGES} edges learned in ${seconds.toFixed(0)} s; writes: ${JSON.stringify(writes)}`);
  return { large, feed, entries, writes, seconds };
}
