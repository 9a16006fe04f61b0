/** The mesh that most tests need: a client with a sidecar, one server behind many services, controller and egress. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SocketAddress } from '../../../controller/core/model.ts';
import type { EdgeReport } from '../../../controller/core/report.ts';
import { eventually } from '../eventually.ts';
import { serviceHost, serviceKey } from './api-client.ts';
import { Bed } from './bed.ts';
import type { Controller } from './controller.ts';
import type { Egress } from './egress.ts';
import { KubernetesFolder } from './kubernetes-folder.ts';
import { podObject, type ServiceOptions, serviceObjects } from './kubernetes-objects.ts';
import type { Pod } from './pod.ts';

/** Ports of a service by name, as in {@link ServiceOptions}; where `targetPorts` differ, or the service is headless. */
interface SmallService extends Pick<ServiceOptions, 'ports' | 'targetPorts'> {
  readonly headless?: boolean;
}

export interface SmallMeshOptions {
  /** Services in namespace `shop` by name; the server pod is their one endpoint. */
  readonly services: Readonly<Record<string, SmallService>>;
  /** Flags of the controller. */
  readonly controllerFlags?: Readonly<Record<string, string>>;
}

/** What a client needs to call a service. */
export interface ServiceHandle extends SocketAddress {
  readonly name: string;
  /** FQDN. */
  readonly host: string;
  /** `namespace/host`. */
  readonly key: string;
}

/** Holds all services, so that a test can break or change them together. */
export const SERVICES_FILE = 'services.yaml';

export class SmallMesh {
  readonly bed: Bed;
  readonly folder: KubernetesFolder;
  readonly egress: Egress;
  readonly controller: Controller;
  /** `shop/Deployment/client`, with a sidecar. */
  readonly client: Pod;
  /** Without a sidecar, so that its programs see who dials. */
  readonly server: Pod;
  readonly #services = new Map<string, ServiceOptions>();

  private constructor(bed: Bed, { services, controllerFlags = {} }: SmallMeshOptions) {
    this.bed = bed;
    this.folder = new KubernetesFolder(bed.folder('mesh'));
    this.egress = bed.egress();
    this.controller = bed.controller(this.folder, { egress: this.egress, flags: controllerFlags });
    this.client = bed.pod('client-0');
    this.server = bed.pod('server-0', { interception: 'none' });
    for (const [name, { headless, ...service }] of Object.entries(services)) {
      const address = headless ? {} : { clusterIP: bed.clusterIP() };
      this.#services.set(name, { name, endpoints: [this.server.address], ...service, ...address });
    }
  }

  /** Everything runs and is ready when it resolves. */
  static async start(options: SmallMeshOptions): Promise<SmallMesh> {
    const bed = await Bed.create();
    try {
      const mesh = new SmallMesh(bed, options);
      await mesh.#start();
      return mesh;
    } catch (error) {
      bed.destroy();
      throw error;
    }
  }

  async #start(): Promise<void> {
    this.folder.apply(podObject(this.egress.pod), podObject(this.client), podObject(this.server));
    this.writeServices();
    await Promise.all([this.egress.start(), this.controller.start()]);
    const { admin } = await this.client.startEnvoy(await this.controller.bootstrap(this.client));
    await eventually('the sidecar has its first listeners', async () => {
      return (await admin.stat('listener_manager.lds.update_success')) > 0;
    });
    await this.egress.ready();
  }

  /** How to call a service's first port; a headless one by the address of its pod. */
  service(name: string): ServiceHandle {
    const service = this.#services.get(name);
    const [port] = Object.values(service?.ports ?? {});
    if (service === undefined || port === undefined) throw new Error(`This mesh has no service ${name}`);
    const address = service.clusterIP ?? this.server.address;
    return { name, address, port, host: serviceHost(name), key: serviceKey(name) };
  }

  /** Gives services other endpoints, all in one step. */
  setEndpoints(endpointsByService: Readonly<Record<string, readonly string[]>>): void {
    for (const [name, endpoints] of Object.entries(endpointsByService)) {
      const service = this.#services.get(name);
      if (!service) throw new Error(`This mesh has no service ${name}`);
      this.#services.set(name, { ...service, endpoints });
    }
    this.writeServices();
  }

  /** Writes the file of all services, again or for the first time. */
  writeServices(): void {
    this.folder.write(SERVICES_FILE, [...this.#services.values()].flatMap(serviceObjects));
  }

  /** What the file of all services says. */
  servicesText(): string {
    return readFileSync(join(this.folder.path, SERVICES_FILE), 'utf8');
  }

  /** Waits until the client's sidecar has what it needs to call the service directly. */
  async learned(name: string, from: Pod = this.client): Promise<EdgeReport> {
    return this.controller.api.edge(from.workload, serviceKey(name));
  }

  destroy(): void {
    this.bed.destroy();
  }
}
