/**
 * Where first requests are measured: a client behind a real lazy sidecar that does not know the services yet, the
 * egress (ours, or an Envoy in its place) and a server that is all of the services.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { SocketAddress } from '../../../controller/core/model.ts';
import { socketAddressText } from '../../../controller/core/socket-address.ts';
import { Bed } from '../../support/bed/bed.ts';
import type { Controller } from '../../support/bed/controller.ts';
import type { Egress } from '../../support/bed/egress.ts';
import { KubernetesFolder } from '../../support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { CONTROLLER_GRPC_PORT } from '../../support/bed/ports.ts';
import { eventually } from '../../support/eventually.ts';
import { LOAD_CORE, MEASURED_CORE, pin } from '../method/pin.ts';
import { buildLoad, Load, type LoadOptions } from './load-program.ts';
import { envoyEgress } from './proxies/envoy.ts';

const PORT = 8_080;
const BODY_BYTES = 100;

/** What goes on while services are called for the first time, and how fast they are. */
export interface ColdDemand {
  /** Of services that are called. */
  readonly count: number;
  readonly perSecond: number;
  /** Requests a second that cross the egress at the same time, on connections that stay. */
  readonly besides: number;
}

/** What is between the client's sidecar and the services. */
export type Hop = 'our egress' | 'Envoy' | 'none';

/** Microseconds from when a request was due until its response was complete. */
export interface Latencies {
  /** Of requests that were the first to their service. */
  readonly cold: readonly number[];
  /** Of those besides. */
  readonly warm: readonly number[];
}

/** How long `load/open.go` waits before the first new service, and how long the last answer may take. */
const COLD_AFTER_MS = 1_000;
const LAST_ANSWER_MS = 500;

export class ColdMesh {
  readonly #bed: Bed;
  readonly #controller: Controller;
  readonly #egress: Egress;
  readonly #client: Pod;
  readonly #server: Pod;
  readonly #clusterIPs: readonly string[];
  readonly #program: string;
  readonly #hop: Hop;
  #called = 0;

  private constructor(bed: Bed, services: number, hop: Hop) {
    this.#bed = bed;
    this.#hop = hop;
    this.#egress = bed.egress();
    this.#client = bed.pod('client-0', { mode: hop === 'none' ? 'Off' : 'Enforce' });
    this.#server = bed.pod('server-0', { interception: 'none' });
    this.#clusterIPs = Array.from({ length: services }, () => bed.clusterIP());
    this.#program = buildLoad(bed.folder('load'));
    this.#controller = bed.controller(this.#mesh(), { egress: this.#egress });
  }

  static async open(services: number, hop: Hop): Promise<ColdMesh> {
    const mesh = new ColdMesh(await Bed.create(), services, hop);
    await mesh.#controller.start();
    pin(mesh.#controller.process.pid, LOAD_CORE);
    pin(await mesh.#startEgress(), MEASURED_CORE);
    await mesh.#startClient();
    return mesh;
  }

  /** @returns its process id */
  async #startEgress(): Promise<number> {
    if (this.#hop !== 'Envoy') {
      await this.#egress.start();
      await this.#egress.ready();
      return this.#egress.process.pid;
    }
    const { listen, pod } = this.#egress;
    const node = `egress~${pod.address}~${pod.name}.${pod.namespace}~${pod.namespace}.svc.cluster.local`;
    const controller = { address: this.#bed.network.hostAddress, port: CONTROLLER_GRPC_PORT };
    const bootstrap = envoyEgress({ node, listen, origin: this.#origin, controller });
    return (await pod.startEnvoy(bootstrap, { concurrency: 1 })).process.pid;
  }

  async #startClient(): Promise<void> {
    const bootstrap = await this.#controller.bootstrap(this.#client);
    const { admin, process } = await this.#client.startEnvoy(bootstrap, { concurrency: 1 });
    pin(process.pid, LOAD_CORE);
    this.#load(this.#server, { kind: 'serve', listen: socketAddressText(this.#origin) });
    // It takes connections before its configuration has come.
    const known = this.#hop === 'none' ? this.#clusterIPs.length : 0;
    await eventually('the sidecar has its configuration', async () => {
      const [listeners, clusters] = [await admin.listeners(), await admin.clusters()];
      return listeners.includes(`0.0.0.0_${PORT}`) && clusters.length >= known;
    });
  }

  #mesh(): KubernetesFolder {
    const mesh = new KubernetesFolder(this.#bed.folder('mesh'));
    mesh.apply(podObject(this.#client), podObject(this.#server), podObject(this.#egress.pod));
    const endpoints = [this.#server.address];
    const services = this.#clusterIPs.map((clusterIP, index) =>
      serviceObjects({ name: `service-${index}`, clusterIP, ports: { http: PORT }, endpoints }),
    );
    mesh.write('services.yaml', services.flat());
    return mesh;
  }

  /** @throws Error when the requests have not gone the way that they were to go */
  async proveWay(): Promise<void> {
    const services = this.#clusterIPs.length;
    if (this.#hop !== 'none') {
      const isLearned = async (): Promise<boolean> => (await this.#controller.api.edges()).length >= services;
      await eventually('every service was learned', isLearned);
    }
    if (this.#hop === 'Envoy') {
      const connections = await this.#egress.pod.envoy.admin.stat('http.egress.downstream_cx_total');
      if (connections < services) throw new Error(`Only ${connections} connections have crossed the Envoy`);
    }
  }

  /**
   * Calls services that were never called.
   * @throws Error when one request fails
   */
  async callNew({ count, perSecond, besides }: ColdDemand): Promise<Latencies> {
    const first = this.#clusterIPs[this.#called];
    if (first === undefined) throw new RangeError('All services were called already');
    const load = this.#load(this.#client, {
      kind: 'open',
      destination: socketAddressText(this.#origin),
      cold: `${first},${this.#called},${count},${PORT}`,
      'cold-rate': perSecond,
      rate: besides,
      connections: 16,
    });
    this.#called += count;
    await delay(COLD_AFTER_MS + (count / perSecond) * 1_000 + LAST_ANSWER_MS);
    const { coldMicroseconds = [], warmMicroseconds = [], errors, error } = await load.counts();
    await load.stop();
    if (errors > 0) throw new Error(`${errors} requests failed, first: ${error}`);
    if (coldMicroseconds.length < count) throw new Error(`${count - coldMicroseconds.length} were not answered`);
    return { cold: coldMicroseconds, warm: warmMicroseconds };
  }

  destroy(): void {
    this.#bed.destroy();
  }

  get #origin(): SocketAddress {
    return { address: this.#server.address, port: PORT };
  }

  #load(pod: Pod, flags: LoadOptions['flags']): Load {
    return new Load({
      program: this.#program,
      namespace: pod.netns,
      core: LOAD_CORE,
      flags: { ...flags, body: BODY_BYTES },
    });
  }
}
