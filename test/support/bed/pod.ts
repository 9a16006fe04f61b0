/** A pod: a network namespace with an address, and the programs in it. */
import { chmodSync, chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { Envoy, type EnvoyOptions } from './envoy.ts';
import { ENVOY_USER, type Interception } from './network.ts';
import { RemoteModule } from './remote-module.ts';

export interface PodOptions {
  /** Kubernetes namespace; default `shop`. */
  readonly namespace?: string;
  /** Deployment that the pod is of; default: the pod's name up to its last dash. */
  readonly deployment?: string;
  /** Default `outbound`. */
  readonly interception?: Interception;
  /** Ports of the pod that are dialled directly also when it intercepts `both`. */
  readonly excludedPorts?: readonly number[];
  readonly address?: string;
  /** Annotation `lazyscope.io/mode`. */
  readonly mode?: 'Off' | 'Enforce';
}

export class Pod {
  readonly name: string;
  readonly namespace: string;
  readonly deployment: string;
  readonly address: string;
  readonly mode: PodOptions['mode'];
  /** Network namespace, for `ip netns exec`. */
  readonly netns: string;
  readonly #bed: Bed;
  #envoy: Envoy | undefined;
  #programs = 0;

  constructor(
    bed: Bed,
    { name, address, ...options }: PodOptions & { readonly name: string; readonly address: string },
  ) {
    this.#bed = bed;
    this.name = name;
    this.address = address;
    this.namespace = options.namespace ?? 'shop';
    this.deployment = options.deployment ?? name.replace(/-[^-]*$/, '');
    this.mode = options.mode;
    const { interception = 'outbound', excludedPorts = [] } = options;
    this.netns = bed.network.addPod(name, address, { interception, excludedPorts });
  }

  /** `namespace/Deployment/name`. */
  get workload(): string {
    return `${this.namespace}/Deployment/${this.deployment}`;
  }

  /** @throws Error while no Envoy was started */
  get envoy(): Envoy {
    if (!this.#envoy) throw new Error(`Pod ${this.name} has no Envoy`);
    return this.#envoy;
  }

  /** Starts an Envoy and waits until it takes connections. */
  async startEnvoy(bootstrap: object, options: EnvoyOptions = {}): Promise<Envoy> {
    const folder = this.#bed.folder(`${this.name}-envoy`);
    chmodSync(folder, 0o755);
    chownSync(folder, ENVOY_USER, ENVOY_USER);
    const adminSocket = join(folder, 'admin.sock');
    const configuration = join(folder, 'bootstrap.json');
    writeFileSync(configuration, JSON.stringify({ ...bootstrap, admin: { address: { pipe: { path: adminSocket } } } }));
    this.#envoy = new Envoy(this.#bed, {
      name: `${this.name}-envoy`,
      namespace: this.netns,
      adminSocket,
      configuration,
      ...options,
    });
    await this.#envoy.ready();
    return this.#envoy;
  }

  /**
   * Runs a module in the pod; its exported functions are then called from here.
   * @param user user id that its connections have; default root, so that they are redirected
   */
  async load<M extends object>(module: URL, options: { readonly user?: number } = {}): Promise<RemoteModule<M>> {
    this.#programs += 1;
    const name = `${this.name}-program-${this.#programs}`;
    return RemoteModule.start<M>(this.#bed, { name, namespace: this.netns, module, ...options });
  }
}
