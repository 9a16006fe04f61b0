/** `lazyscope controller` on this machine, at the bed's address. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { ApiClient } from './api-client.ts';
import type { Bed } from './bed.ts';
import type { BedProcess } from './bed-process.ts';
import type { Egress } from './egress.ts';
import { answers } from './http-get.ts';
import type { KubernetesFolder } from './kubernetes-folder.ts';
import type { Pod } from './pod.ts';
import { CONTROLLER_GRPC_PORT, CONTROLLER_HTTP_PORT } from './ports.ts';
import { lazyscope } from './program.ts';

export interface ControllerOptions {
  readonly egress: Egress;
  /** More flags without their dashes, for example `{ 'drain-seconds': '1' }`. */
  readonly flags?: Readonly<Record<string, string>>;
}

export class Controller {
  readonly api: ApiClient;
  /** `http://...`, for `lazyscope --server`. */
  readonly url: string;
  readonly #bed: Bed;
  readonly #command: readonly string[];
  /** The database; SQLite keeps `-wal` and `-shm` files beside it. */
  readonly storePath: string;
  #process: BedProcess | undefined;

  constructor(bed: Bed, mesh: KubernetesFolder, { egress, flags = {} }: ControllerOptions) {
    const { hostAddress } = bed.network;
    this.#bed = bed;
    this.storePath = join(bed.folder('store'), 'lazyscope.db');
    this.url = `http://${hostAddress}:${CONTROLLER_HTTP_PORT}`;
    this.api = new ApiClient(this.url);
    this.#command = lazyscope('controller', {
      source: 'files',
      path: mesh.path,
      'grpc-listen': `${hostAddress}:${CONTROLLER_GRPC_PORT}`,
      'http-listen': `${hostAddress}:${CONTROLLER_HTTP_PORT}`,
      advertise: `${hostAddress}:${CONTROLLER_GRPC_PORT}`,
      egress: `${egress.listen.address}:${egress.listen.port}`,
      'store-path': this.storePath,
      ...flags,
    });
  }

  get process(): BedProcess {
    if (!this.#process) throw new Error('The controller was not started');
    return this.#process;
  }

  /** Starts without waiting for anything. */
  launch(): void {
    this.#process = this.#bed.start({ name: 'controller', command: this.#command });
  }

  /** Starts and waits until it is ready: registry and graph are loaded. */
  async start(): Promise<void> {
    this.launch();
    await eventually('the controller is ready', () => {
      this.process.assertRunning();
      return answers(`${this.url}/readyz`);
    });
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  /** Removes the database, as an operator's accident would; the controller must not run. */
  deleteStore(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.storePath + suffix, { force: true });
  }

  /** The bootstrap that it prints for a pod, once the pod is known to it. */
  async bootstrap(pod: Pod): Promise<object> {
    const path = `/api/v1/workloads/${pod.workload}/bootstrap?pod=${pod.name}`;
    return eventually(`the controller knows pod ${pod.name}`, () => this.api.get<object>(path));
  }
}
