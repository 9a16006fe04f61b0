import { Bed } from '../../support/bed/bed.ts';
import type { Controller } from '../../support/bed/controller.ts';
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import { KubernetesFolder } from '../../support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { eventually } from '../../support/eventually.ts';
import { carrierPorts, type GrowingMesh, HTTP_PORTS, unrelatedEndpoints, unrelatedPorts } from './growing-mesh.ts';

const PATIENCE = { timeoutMs: 180_000, intervalMs: 200 };
/** Of a bootstrap that the controller prints. */
const BOOTSTRAP_CLUSTERS = 4;

export class GrowingDirectMesh implements GrowingMesh {
  readonly contender = 'lazy sidecar, direct mode';
  readonly #bed: Bed;
  readonly #folder: KubernetesFolder;
  readonly #controller: Controller;
  readonly #lazy: Pod;
  readonly #eager: Pod;
  #services = 0;

  private constructor(bed: Bed) {
    this.#bed = bed;
    this.#folder = new KubernetesFolder(bed.folder('mesh'));
    this.#lazy = bed.pod('lazy-0');
    this.#eager = bed.pod('eager-0', { mode: 'Off' });
    this.#controller = bed.controller(this.#folder, { egress: bed.egress() });
  }

  static async open(): Promise<GrowingDirectMesh> {
    const mesh = new GrowingDirectMesh(await Bed.create());
    await mesh.#start();
    return mesh;
  }

  async #start(): Promise<void> {
    this.#folder.apply(podObject(this.#lazy), podObject(this.#eager));
    const clusterIP = this.#bed.clusterIP();
    const carrier = { name: 'ports', namespace: 'filler', clusterIP, ports: carrierPorts(), endpoints: [] };
    this.#folder.write('ports.yaml', serviceObjects(carrier));
    await this.#controller.start();
  }

  async grow(services: number): Promise<void> {
    this.#services = services;
    const { network } = this.#bed;
    const endpoints = unrelatedEndpoints((index) => network.address(index));
    const objects = Array.from({ length: services }, (_, index) => {
      const clusterIP = network.address((132 << 8) + index);
      const ports = unrelatedPorts(index);
      return serviceObjects({ name: `filler-${index}`, namespace: 'filler', clusterIP, ports, endpoints });
    });
    this.#folder.write('filler.yaml', objects.flat());
    await eventually(
      'the controller has read the mesh',
      async () => (await this.#controller.api.status()).services === services + 1,
      PATIENCE,
    );
  }

  async startSidecars() {
    const [lazy, eager] = [await this.#startEnvoy(this.#lazy), await this.#startEnvoy(this.#eager)];
    const all = this.#services + HTTP_PORTS;
    await eventually('the eager Envoy holds everything', () => isComplete(eager, all), PATIENCE);
    await eventually('the lazy Envoy has its listeners', () => isComplete(lazy, 0), PATIENCE);
    return { lazy, eager };
  }

  async #startEnvoy(pod: Pod): Promise<EnvoyAdmin> {
    return (await pod.startEnvoy(await this.#controller.bootstrap(pod))).admin;
  }

  async stopSidecars(): Promise<void> {
    for (const { envoy } of [this.#lazy, this.#eager]) await envoy.stop();
  }

  destroy(): void {
    this.#bed.destroy();
  }
}

/** The same number of listeners proves that both got their configuration; a lazy one holds no cluster. */
async function isComplete(admin: EnvoyAdmin, clusters: number): Promise<boolean> {
  const stats = await admin.stats(
    '^(cluster_manager\\.(active|warming)_clusters|listener_manager\\.total_listeners_active)$',
  );
  return (
    (stats.get('cluster_manager.active_clusters') ?? 0) === clusters + BOOTSTRAP_CLUSTERS &&
    stats.get('cluster_manager.warming_clusters') === 0 &&
    (stats.get('listener_manager.total_listeners_active') ?? 0) >= HTTP_PORTS
  );
}
