import { IstioMesh } from '../../mesh/bed/istio-mesh.ts';
import { serviceObject } from '../../mesh/bed/service-objects.ts';
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import { serviceObjects } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { eventually } from '../../support/eventually.ts';
import { inParallel } from '../../support/in-parallel.ts';
import { carrierPorts, type GrowingMesh, HTTP_PORTS, unrelatedEndpoints, unrelatedPorts } from './growing-mesh.ts';

const NAMESPACE = 'filler';
/** Writes at the API server at a time. */
const WRITERS = 16;
const PATIENCE = { timeoutMs: 300_000, intervalMs: 500 };

/** On istiod without mTLS, as plain Envoys start much faster than agents; neither of the two has its cost. */
export class GrowingIstioMesh implements GrowingMesh {
  readonly contender = 'lazy sidecar, Istio mode';
  readonly #mesh: IstioMesh;
  readonly #lazy: Pod;
  readonly #eager: Pod;
  #services = 0;

  private constructor(mesh: IstioMesh, lazy: Pod, eager: Pod) {
    this.#mesh = mesh;
    this.#lazy = lazy;
    this.#eager = eager;
  }

  static async open(): Promise<GrowingIstioMesh> {
    const mesh = await IstioMesh.start();
    const lazy = await mesh.bed.pod('lazy-0');
    const eager = await mesh.bed.pod('eager-0', { annotations: { 'lazyscope.io/mode': 'Off' } });
    await mesh.bed.service({ name: 'ports', namespace: NAMESPACE, ports: carrierPorts() });
    await mesh.enforce('shop');
    await mesh.sidecar(lazy);
    await eventually('the lazy Envoy holds nothing', async () => isLazyAndEmpty(mesh, lazy), PATIENCE);
    await lazy.envoy.stop();
    return new GrowingIstioMesh(mesh, lazy, eager);
  }

  async grow(services: number): Promise<void> {
    const { bed } = this.#mesh;
    const endpoints = unrelatedEndpoints((index) => bed.bed.network.address(index));
    const more = Array.from({ length: services - this.#services }, (_, index) => this.#services + index);
    await inParallel(more, WRITERS, async (index) => {
      const service = { name: `filler-${index}`, namespace: NAMESPACE, ports: unrelatedPorts(index) };
      const [, slice] = serviceObjects({ ...service, endpoints });
      await bed.client.applyAll([serviceObject(service), slice]);
    });
    this.#services = services;
    const egress = this.#mesh.admin(this.#mesh.egress.pod);
    await eventually("the egress's Envoy knows the mesh", () => this.#hasAll(egress), PATIENCE);
  }

  async startSidecars() {
    const [lazy, eager] = [await this.#mesh.sidecar(this.#lazy), await this.#mesh.sidecar(this.#eager)];
    await eventually('the eager Envoy holds everything', () => this.#hasAll(eager), PATIENCE);
    await eventually('the lazy Envoy has its listeners', () => isLazyAndEmpty(this.#mesh, this.#lazy), PATIENCE);
    return { lazy, eager };
  }

  async stopSidecars(): Promise<void> {
    for (const { envoy } of [this.#lazy, this.#eager]) await envoy.stop();
  }

  destroy(): void {
    this.#mesh.destroy();
  }

  async #hasAll(admin: EnvoyAdmin): Promise<boolean> {
    const all = this.#services + HTTP_PORTS;
    if ((await admin.stat('cluster_manager.active_clusters')) < all || !(await hasListeners(admin))) return false;
    return (await admin.clusters()).filter((name) => name.includes(`.${NAMESPACE}.svc.`)).length === all;
  }
}

async function isLazyAndEmpty(mesh: IstioMesh, pod: Pod): Promise<boolean> {
  if (!(await mesh.isLazy(pod)) || !(await hasListeners(mesh.admin(pod)))) return false;
  return (await mesh.outboundClusters(pod)).length === 0;
}

/** For all HTTP ports, with their routes. */
async function hasListeners(admin: EnvoyAdmin): Promise<boolean> {
  const stats = await admin.stats('^listener_manager\\.total_listeners_(active|warming)$');
  const [active = 0, warming] = ['active', 'warming'].map((state) =>
    stats.get(`listener_manager.total_listeners_${state}`),
  );
  return active >= HTTP_PORTS && warming === 0;
}
