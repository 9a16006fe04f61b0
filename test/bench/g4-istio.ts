/**
 * G4 in Istio mode: workloads, one after the other, begin to call ten services each, all for the first time and without
 * a pause, until the server sees them come directly. istiod has its defaults and nothing else to do; its answer to the
 * probe, not a delay, ends each phase. The time starts before the first byte leaves the client, so it is rather too long.
 */
import { IstioMesh } from '../mesh/bed/istio-mesh.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { inParallel } from '../support/in-parallel.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, median, percentile } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const WORKLOADS = 20;
/** Of each workload. */
const DEPENDENCIES = 10;
const PORT = 8_080;
const TARGET_MS = 1_500;
/** Longer than any pause within a promotion of a workload that has learned nothing for a while. */
const QUIET_MS = 3_500;
const PATIENCE = { timeoutMs: 120_000, intervalMs: 50 };

const PROGRAM = new URL('./programs/who-calls.ts', import.meta.url);
type Program = typeof import('./programs/who-calls.ts');

interface Scene {
  readonly mesh: IstioMesh;
  readonly clients: readonly Pod[];
  /** As many for each client. */
  readonly services: readonly ServiceHandle[];
}

/** Times of one workload, in ms. */
interface Sample {
  readonly times: readonly number[];
  readonly failed: number;
}

export const firstRequestToDirectOnIstio: Bench = async (say) => {
  // The default of the product, where the fixture has a shorter one: nothing is to end a phase but the probe.
  const mesh = await IstioMesh.start({ probe: true, controllerFlags: { 'promotion-delay': '12' } });
  try {
    const scene = await setUp(mesh);
    say(`  ${WORKLOADS} lazy workloads among ${scene.services.length} services`);
    const samples: Sample[] = [];
    for (const index of scene.clients.keys()) samples.push(await measure(scene, index));
    return [await result(mesh, samples, say)];
  } finally {
    mesh.destroy();
  }
};

async function setUp(mesh: IstioMesh): Promise<Scene> {
  const server = await mesh.bed.pod('server-0', { interception: 'none', namespace: 'back' });
  await (await server.load<Program>(PROGRAM)).call('serve', PORT);
  const services: ServiceHandle[] = [];
  for (let index = 0; index < WORKLOADS * DEPENDENCIES; index += 1) {
    const options = { name: `service-${index}`, namespace: 'back', ports: { http: PORT }, pods: [server] };
    services.push(await mesh.bed.service(options));
  }
  await mesh.enforce('shop');
  const clients: Pod[] = [];
  for (let index = 0; index < WORKLOADS; index += 1) clients.push(await mesh.bed.pod(`client-${index}-0`));
  await inParallel(clients, 2, (client) => mesh.sidecar(client));
  for (const { host } of services) await mesh.knownToEgress(host);
  for (const client of clients) {
    const isEmpty = async (): Promise<boolean> =>
      (await mesh.isLazy(client)) && (await mesh.outboundClusters(client)).length === 0;
    await eventually(`the sidecar of ${client.name} holds nothing`, isEmpty, PATIENCE);
  }
  return { mesh, clients, services };
}

async function measure({ mesh, clients, services }: Scene, index: number): Promise<Sample> {
  const client = clients[index];
  if (!client) throw new RangeError(`There is no workload ${index}`);
  await eventually('nothing is written', quiet(mesh), PATIENCE);
  const hammer = await client.load<Program>(PROGRAM);
  const own = client.address;
  const called = services.slice(index * DEPENDENCIES, (index + 1) * DEPENDENCIES);
  const outcomes = await Promise.all(
    called.map(({ address, port, host }) => hammer.call('untilDirect', { address, port, host, own })),
  );
  await hammer.stop();
  return { times: outcomes.map(({ ms }) => ms), failed: outcomes.reduce((sum, { failed }) => sum + failed, 0) };
}

/**
 * Whether nothing was written for a while: else what another workload learned before would hold this one up, as bursts
 * of writes are a second apart.
 */
function quiet({ controller }: IstioMesh): () => Promise<boolean> {
  let [bursts, since] = [-1, 0];
  return async () => {
    const now = await controller.metric('lazyscope_write_bursts_total');
    if (now !== bursts) [bursts, since] = [now, performance.now()];
    return performance.now() - since > QUIET_MS;
  };
}

async function result(
  { controller }: IstioMesh,
  samples: readonly Sample[],
  say: (line: string) => void,
): Promise<BenchResult> {
  const all = (some: readonly Sample[]): readonly number[] => some.flatMap(({ times }) => times);
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(all(samples), share));
  const failed = samples.reduce((sum, sample) => sum + sample.failed, 0);
  const unanswered = await controller.metric('lazyscope_probes_total', 'result="failed"');
  say(
    `  ${all(samples).length} edges: p50 ${p50?.toFixed(0)} ms, p99 ${p99?.toFixed(0)} ms, ${failed} failed requests`,
  );
  if (failed > 0)
    throw new Error(`${failed} requests failed on the way to the direct path: a fast wrong answer is none`);
  return atMost({
    goal: 'G4',
    contender: `Istio mode, ${DEPENDENCIES} dependencies of a workload at once, probe`,
    peer: `the goal of ${TARGET_MS} ms`,
    unit: 'median ms from the first request to the first direct one',
    ratio: median(all(samples)) / TARGET_MS,
    // Edges of one workload go together, so workloads are what is drawn.
    ci95: bootstrap95(samples, (some) => median(all(some)) / TARGET_MS),
    target: 1,
    versions: versions(),
    details: { edges: all(samples).length, p50, p99, failed, unansweredProbes: unanswered, samples },
  });
}
