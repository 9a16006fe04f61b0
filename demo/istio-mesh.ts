/**
 * The shop in Istio mode: a real API server and istiod, sidecars of real istio-agents, STRICT mTLS on every hop. Nothing
 * but Sidecar resources makes the sidecars lazy.
 */

import { ADMIN_PORT } from '../test/mesh/bed/agent.ts';
import { IstioMesh } from '../test/mesh/bed/istio-mesh.ts';
import { serviceObject } from '../test/mesh/bed/service-objects.ts';
import { clusterOf } from '../test/support/bed/api-client.ts';
import type { EnvoyAdmin } from '../test/support/bed/envoy-admin.ts';
import { serviceObjects } from '../test/support/bed/kubernetes-objects.ts';
import type { Pod } from '../test/support/bed/pod.ts';
import { EGRESS_PORT } from '../test/support/bed/ports.ts';
import { eventually } from '../test/support/eventually.ts';
import { inParallel } from '../test/support/in-parallel.ts';
import { fillerEndpoints, fillerServices, SHOP, type ShopWorkload, servicePorts } from './shop.ts';
import { employ, type Shopkeeper, type ShopMesh, type ShopPlan, shopServices } from './shop-mesh.ts';

const WITNESS = {
  kind: 'Sidecar',
  adminPort: ADMIN_PORT,
  egressCluster: `outbound|${EGRESS_PORT}||lazyscope-egress.lazyscope.svc.cluster.local`,
} as const;

/** The default, also where the fixture has a shorter one: here the probe is to be faster. */
const PROMOTION_DELAY_SECONDS = '12';
/** Writes at the API server at a time. */
const WRITERS = 16;
/** Agents start by themselves, but not all at once on a small machine. */
const STARTERS = 3;
/** For thousands of fillers and a dozen sidecars that read them. */
const PATIENCE = { timeoutMs: 300_000, intervalMs: 200 };

interface Post {
  readonly workload: ShopWorkload;
  readonly pod: Pod;
}

export async function openIstioShop({ fillers, keys, say }: ShopPlan): Promise<ShopMesh> {
  say(
    `A shop among ${fillers} services that it does not use, on a real Kubernetes API server and istiod. Each workload`,
  );
  say('is in a network of its own with a real istio-agent and Envoy, and the mesh is STRICT: mTLS on every hop.\n');
  const mesh = await IstioMesh.start({
    mutualTls: 'Strict',
    probe: true,
    controllerFlags: { 'promotion-delay': PROMOTION_DELAY_SECONDS },
  });
  say(
    `API server, istiod, controller and egress run; ${mesh.bed.bed.network.hostAddress} is this machine on the mesh's network.`,
  );
  await writeFillers(mesh, fillers);
  const posts: Post[] = [];
  for (const workload of SHOP) posts.push({ workload, pod: await mesh.bed.pod(`${workload.name}-0`) });
  const off = await mesh.bed.pod('eager-0', { annotations: { 'lazyscope.io/mode': 'Off' } });
  const addresses = await writeServices(mesh, posts);
  await mesh.enforce('shop');
  say('Namespace shop has the annotation lazyscope.io/mode: Enforce; its agents start.');
  await inParallel([...posts.map(({ pod }) => pod), off], STARTERS, (pod) => mesh.sidecar(pod));
  await Promise.all(posts.map(({ pod }) => narrow(mesh, pod)));
  for (const { workload } of posts.filter(({ workload: { serves } }) => serves.length > 0))
    await mesh.knownToEgress(`${workload.name}.shop.svc.cluster.local`);
  const shopkeepers: Shopkeeper[] = [];
  for (const { workload, pod } of posts) {
    shopkeepers.push(await employ({ workload, pod, admin: mesh.admin(pod), witness: WITNESS, addresses, keys }));
  }
  const eager = mesh.admin(off);
  await holdsAll(eager, fillers);
  say(
    'Its sidecars hold nothing but the way to the egress, and the database: that speaks first on 8080, a port that is',
  );
  say(
    'HTTP elsewhere, where a sidecar that did not know it would wait for the caller. So calls to it are never learned.',
  );
  return {
    mode: 'istio',
    controller: {
      api: mesh.controller.api,
      url: mesh.controller.url,
      start: () => mesh.controller.start(),
      kill: () => mesh.controller.stop('SIGKILL'),
    },
    shopkeepers,
    eager,
    services: shopServices() + fillers,
    afterKill: 'It writes Sidecars again when the Lease that the killed one held has run out, after 15 s.',
    looks: [`kubectl --kubeconfig ${mesh.bed.bed.folder('istiod')}/kubeconfig get sidecars -A -o yaml`],
    atRest: () => atRest(mesh, posts),
    destroy: () => mesh.destroy(),
  };
}

async function writeFillers({ bed }: IstioMesh, count: number): Promise<void> {
  await bed.namespace('filler');
  const endpoints = fillerEndpoints(bed.bed.network);
  await inParallel(fillerServices(count), WRITERS, async (service) => {
    const [, slice] = serviceObjects({ ...service, endpoints });
    await bed.client.applyAll([serviceObject(service), slice]);
  });
}

async function writeServices({ bed }: IstioMesh, posts: readonly Post[]): Promise<ReadonlyMap<string, string>> {
  const addresses = new Map<string, string>();
  for (const { workload, pod } of posts) {
    if (workload.serves.length === 0) continue;
    const { name, address } = await bed.service({ name: workload.name, ports: servicePorts(workload), pods: [pod] });
    addresses.set(name, address);
  }
  return addresses;
}

async function narrow(mesh: IstioMesh, pod: Pod): Promise<void> {
  await eventually(
    `the sidecar of ${pod.name} is lazy, and knows the database alone`,
    async () => (await mesh.isLazy(pod)) && (await mesh.outboundClusters(pod)).join() === clusterOf('database', 8080),
    PATIENCE,
  );
}

async function holdsAll(admin: EnvoyAdmin, fillers: number): Promise<void> {
  await eventually(
    'the eager sidecar holds everything',
    async () => (await admin.clusters()).filter((name) => name.includes('.filler.svc.')).length === fillers,
    PATIENCE,
  );
}

/** Learned, moved out of the warm entry, and nothing drains any more. */
async function atRest(mesh: IstioMesh, posts: readonly Post[]): Promise<void> {
  await eventually(
    'everything learned is confirmed',
    async () => {
      const edges = await mesh.controller.api.edges();
      const sidecars = await mesh.sidecars();
      return (
        edges.every(({ state }) => state === 'active' || state === 'relayed') &&
        !JSON.stringify(sidecars).includes('HTTP_PROXY')
      );
    },
    PATIENCE,
  );
  for (const { pod } of posts) await mesh.drained(pod);
}
