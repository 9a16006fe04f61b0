/** `lazyscope controller --source kubernetes --mode istio` on this machine, with the rights of its ServiceAccount. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApiClient } from '../../support/bed/api-client.ts';
import type { Bed } from '../../support/bed/bed.ts';
import type { BedProcess } from '../../support/bed/bed-process.ts';
import { answers, getText } from '../../support/bed/http-get.ts';
import { metricSum } from '../../support/bed/metric-sum.ts';
import { CONTROLLER_GRPC_PORT, CONTROLLER_HTTP_PORT } from '../../support/bed/ports.ts';
import { lazyscope } from '../../support/bed/program.ts';
import { eventually } from '../../support/eventually.ts';
import { kubeconfig } from './api-server.ts';
import type { KubernetesAccess } from './kubernetes-client.ts';

export type Flags = Readonly<Record<string, string>>;

export class IstioController {
  readonly api: ApiClient;
  readonly url: string;
  /** Of the next start: over this process's own. */
  environment: Readonly<Record<string, string>> = {};
  /** Of the next start: a command that runs the one which follows it. */
  wrapper: readonly string[] = [];
  readonly #bed: Bed;
  readonly #storePath: string;
  readonly #flags: Flags;
  #process: BedProcess | undefined;

  /** @param flags without their dashes; those without a value have an empty one */
  constructor(bed: Bed, access: KubernetesAccess, flags: Flags) {
    const { hostAddress } = bed.network;
    const file = join(bed.folder('controller'), 'kubeconfig');
    writeFileSync(file, kubeconfig(access));
    this.#bed = bed;
    this.#storePath = join(bed.folder('store'), 'lazyscope.db');
    this.url = `http://${hostAddress}:${CONTROLLER_HTTP_PORT}`;
    this.api = new ApiClient(this.url);
    this.#flags = {
      source: 'kubernetes',
      kubeconfig: file,
      mode: 'istio',
      namespace: 'lazyscope',
      'grpc-listen': `${hostAddress}:${CONTROLLER_GRPC_PORT}`,
      'http-listen': `${hostAddress}:${CONTROLLER_HTTP_PORT}`,
      'store-path': this.#storePath,
      ...flags,
    };
  }

  get process(): BedProcess {
    if (!this.#process) throw new Error('The controller was not started');
    return this.#process;
  }

  /** Starts without waiting for anything. @param more flags for this run alone @param less those that it goes without */
  launch(more: Flags = {}, less: readonly string[] = []): void {
    const flags = Object.entries({ ...this.#flags, ...more }).filter(([name]) => !less.includes(name));
    const own = lazyscope('controller', Object.fromEntries(flags)).filter((word) => word !== '');
    const command = [...this.wrapper, ...own];
    this.#process = this.#bed.start({ name: 'controller', command, environment: this.environment });
  }

  /** Starts and waits until it is ready. */
  async start(more: Flags = {}, less: readonly string[] = []): Promise<void> {
    this.launch(more, less);
    await eventually(
      'the controller is ready',
      () => {
        this.process.assertRunning();
        return answers(`${this.url}/readyz`);
      },
      { timeoutMs: 40_000 },
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process.stop(signal);
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM', more: Flags = {}): Promise<void> {
    await this.stop(signal);
    await this.start(more);
  }

  /** Removes the database, as an operator's accident would; the controller must not run. */
  deleteStore(): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.#storePath + suffix, { force: true });
  }

  /** Sum of the metric's samples whose text contains `label`. */
  async metric(name: string, label = ''): Promise<number> {
    return metricSum(await getText(`${this.url}/metrics`), name, label);
  }
}
