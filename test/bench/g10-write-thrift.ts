/**
 * G10: what learning costs Kubernetes and istiod. Writes at the API server while a million log entries teach everything;
 * and pushes by istiod while 100 workloads with connected sidecars learn ten dependencies each. lazyxds does not run
 * beside a current istiod, so what it writes is modelled: one Sidecar and one EnvoyFilter for each dependency, as fast as
 * its client-go lets it (5 requests a second). istiod and the sidecars that it pushes to are real.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { IstioMesh } from '../mesh/bed/istio-mesh.ts';
import { XDS_PORT } from '../mesh/bed/ports.ts';
import { applyWorkload } from '../mesh/bed/workload-objects.ts';
import { IstiodClient } from '../support/ads/istiod-client.ts';
import { eventually } from '../support/eventually.ts';
import { inParallel } from '../support/in-parallel.ts';
import { apiWrites, writesBetween } from './large-mesh/api-writes.ts';
import { dependenciesOf } from './large-mesh/edges.ts';
import { LargeMeshFeed } from './large-mesh/feed.ts';
import { SERVICES, WORKLOADS } from './large-mesh/large-mesh.ts';
import { EDGES, type LearnedMesh, learnedMesh } from './large-mesh/learned-mesh.ts';
import { largeService, largeWorkload, podAddress } from './large-mesh/objects.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { versions } from './method/versions.ts';

const LEARNERS = 100;
const DEPENDENCIES = 10;
/** Times that the egress tells each new edge. */
const PASSES = 10;
/** Dependencies of which the model's pushes are counted; each takes 0.4 s. */
const MODELLED = 100;
const MODEL_INTERVAL_MS = 400;
const TARGET_WRITES = 1 / 10;
const TARGET_PUSHES = 1 / 8;
/** Longer than istiod's debounce. */
const QUIET_MS = 3_000;
const PATIENCE = { timeoutMs: 180_000, intervalMs: 250 };
const ISTIO = 'networking.istio.io/v1';

export const writeThrift: Bench = async (say) => {
  const learned = await learnedMesh(say);
  const { large, feed } = learned;
  const { mesh } = large;
  const model = await modelledPushes(mesh);
  const learners = Array.from({ length: LEARNERS }, (_, index) => largeWorkload(WORKLOADS + index));
  const clients = await connectLearners(mesh, learners);
  await quiet(mesh);
  const [pushesBefore, writesBefore] = [await pushes(mesh), await apiWrites(mesh.bed.client.access)];
  const options = { first: WORKLOADS, workloads: LEARNERS, dependencies: DEPENDENCIES, pods: 1 };
  const ours = await LargeMeshFeed.start(large, options);
  // Only now: without any egress all would go back to eager.
  await feed.stop();
  await ours.feed(PASSES);
  await eventually('everybody has learned', async () => allHold(clients), PATIENCE);
  await quiet(mesh);
  const pushed = (await pushes(mesh)) - pushesBefore;
  const written = writesBetween(writesBefore, await apiWrites(mesh.bed.client.access));
  await ours.stop();
  for (const { client } of clients) client.close();
  const edges = LEARNERS * DEPENDENCIES;
  say(
    `  ${edges} dependencies: ${pushed} pushes, ${JSON.stringify(written)}; model ${model.toFixed(2)} pushes for each`,
  );
  return [writesResult(learned), pushesResult({ pushed, written, model, edges })];
};

interface Learner {
  readonly client: IstiodClient;
  /** Clusters that it must hold in the end. */
  readonly wanted: ReadonlySet<string>;
}

/** Pods that are enforced, and their sidecars' connections to istiod. */
async function connectLearners(
  mesh: IstioMesh,
  learners: readonly ReturnType<typeof largeWorkload>[],
): Promise<Learner[]> {
  const { bed } = mesh;
  for (const namespace of new Set(learners.map((learner) => learner.namespace))) await mesh.enforce(namespace);
  await inParallel(learners, 8, ({ index, namespace, name }) =>
    applyWorkload(bed.client, { name: `${name}-0`, namespace, deployment: name, address: podAddress(index, 0) }),
  );
  const isLazy = async (): Promise<boolean> => {
    const names = new Set((await mesh.sidecars()).map(({ metadata }) => metadata.name));
    return learners.every(({ name }) => names.has(`lazyscope-deployment-${name}`));
  };
  await eventually('all learners are lazy', isLazy, PATIENCE);
  await quiet(mesh);
  const connected: Learner[] = [];
  await inParallel(learners, 8, async ({ index, namespace, name }) => {
    const client = await connect(mesh, { name: `${name}-0`, namespace, app: name, address: podAddress(index, 0) });
    const services = dependenciesOf(index, SERVICES).slice(0, DEPENDENCIES);
    connected.push({ client, wanted: new Set(services.map(clusterName)) });
  });
  return connected;
}

function clusterName(service: number): string {
  return `outbound|8080||${largeService(service).key.split('/')[1]}`;
}

async function connect(
  { bed }: IstioMesh,
  proxy: { readonly name: string; readonly namespace: string; readonly app: string; readonly address: string },
): Promise<IstiodClient> {
  const client = new IstiodClient({ istiod: `${bed.bed.network.hostAddress}:${XDS_PORT}`, ...proxy });
  await client.hears(({ type }) => type.endsWith('.Listener'));
  return client;
}

function allHold(learners: readonly Learner[]): boolean {
  return learners.every(({ client, wanted }) => {
    const told = new Set(client.told.flatMap(({ added }) => added));
    return [...wanted].every((cluster) => told.has(cluster));
  });
}

async function pushes({ bed }: IstioMesh): Promise<number> {
  return bed.istiod.metric('pilot_xds_pushes');
}

/** Waits until istiod has pushed nothing for a while. */
async function quiet(mesh: IstioMesh): Promise<void> {
  let [count, since] = [-1, 0];
  const isQuiet = async (): Promise<boolean> => {
    const now = await pushes(mesh);
    if (now !== count) [count, since] = [now, performance.now()];
    return performance.now() - since > QUIET_MS;
  };
  await eventually('istiod pushes nothing', isQuiet, PATIENCE);
}

/** Pushes for one dependency that is learned as lazyxds learns it, in a namespace with as many sidecars. */
async function modelledPushes(mesh: IstioMesh): Promise<number> {
  const { client } = mesh.bed;
  const namespace = 'lazyxds';
  await mesh.enforce(namespace, 'Off');
  const apps = Array.from({ length: LEARNERS }, (_, index) => `app-${index}`);
  await inParallel(apps, 8, (app) => applyModel(client, namespace, app, []));
  await quiet(mesh);
  const clients: IstiodClient[] = [];
  await inParallel([...apps.keys()], 8, async (index) => {
    const app = `app-${index}`;
    clients.push(
      await connect(mesh, { name: `${app}-0`, namespace, app, address: podAddress(2 * WORKLOADS + index, 0) }),
    );
  });
  await quiet(mesh);
  const before = await pushes(mesh);
  for (let learned = 0; learned < MODELLED; learned += 1) {
    const index = learned % LEARNERS;
    const services = dependenciesOf(index, SERVICES).slice(0, 1 + Math.floor(learned / LEARNERS));
    await applyModel(client, namespace, `app-${index}`, services);
    await delay(MODEL_INTERVAL_MS);
  }
  await quiet(mesh);
  const count = (await pushes(mesh)) - before;
  for (const each of clients) each.close();
  return count / MODELLED;
}

/** What lazyxds keeps of one workload, as far as istiod reacts to it: that it changes, and for whom. */
async function applyModel(
  client: IstioMesh['bed']['client'],
  namespace: string,
  app: string,
  services: readonly number[],
): Promise<void> {
  const metadata = { name: `lazyxds-${app}`, namespace };
  const workloadSelector = { labels: { app } };
  const hosts = ['istio-system/*', ...services.map((service) => largeService(service).key)];
  await client.apply({ apiVersion: ISTIO, kind: 'Sidecar', metadata, spec: { workloadSelector, egress: [{ hosts }] } });
  const match = { context: 'SIDECAR_OUTBOUND', routeConfiguration: { name: '8080' } };
  const value = { virtual_hosts: [{ name: `lazyxds-${services.length}`, domains: [`${app}.lazyxds`] }] };
  const patch = { applyTo: 'ROUTE_CONFIGURATION', match, patch: { operation: 'MERGE', value } };
  const filter = { apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', metadata };
  await client.apply({ ...filter, spec: { workloadSelector, configPatches: [patch] } });
}

function writesResult({ entries, writes, seconds }: LearnedMesh): BenchResult {
  const count = Object.values(writes).reduce((sum, one) => sum + one, 0);
  const ratio = count / EDGES;
  return atMost({
    goal: 'G10',
    contender: `${EDGES} edges learned from ${entries} entries`,
    peer: 'the new edges',
    unit: 'writes at the API server, while all entries came',
    ratio,
    // A count, and so exact.
    ci95: [ratio, ratio],
    target: TARGET_WRITES,
    versions: versions(),
    details: { entries, writes, seconds },
  });
}

interface Pushes {
  readonly pushed: number;
  readonly written: Readonly<Record<string, number>>;
  readonly model: number;
  readonly edges: number;
}

function pushesResult({ pushed, written, model, edges }: Pushes): BenchResult {
  const ratio = pushed / edges / model;
  return atMost({
    goal: 'G10b',
    contender: `${LEARNERS} workloads learn ${DEPENDENCIES} dependencies each`,
    peer: "a model of lazyxds' writes, pushed by the same istiod",
    unit: 'pilot_xds_pushes for one dependency',
    ratio,
    ci95: [ratio, ratio],
    target: TARGET_PUSHES,
    versions: versions(),
    details: { pushed, written, modelledPushesPerDependency: model, edges },
  });
}
