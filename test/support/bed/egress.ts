/** `lazyscope egress` in a pod without Envoy. */
import type { SocketAddress } from '../../../controller/core/model.ts';
import { eventually } from '../eventually.ts';
import type { Bed } from './bed.ts';
import type { BedProcess } from './bed-process.ts';
import { answers, getText } from './http-get.ts';
import { metricSum } from './metric-sum.ts';
import type { Pod } from './pod.ts';
import { CONTROLLER_GRPC_PORT, EGRESS_HTTP_PORT, EGRESS_PORT } from './ports.ts';
import { lazyscope } from './program.ts';

export class Egress {
  readonly pod: Pod;
  /** As sidecars reach it. */
  readonly listen: SocketAddress;
  readonly url: string;
  readonly #bed: Bed;
  #process: BedProcess | undefined;

  constructor(bed: Bed, pod: Pod) {
    this.#bed = bed;
    this.pod = pod;
    this.listen = { address: pod.address, port: EGRESS_PORT };
    this.url = `http://${pod.address}:${EGRESS_HTTP_PORT}`;
  }

  get process(): BedProcess {
    if (!this.#process) throw new Error('The egress was not started');
    return this.#process;
  }

  /** Starts and waits until it takes connections; the controller may be away. */
  async start(flags: Readonly<Record<string, string>> = {}): Promise<void> {
    const command = lazyscope('egress', {
      listen: `${this.pod.address}:${EGRESS_PORT}`,
      'http-listen': `${this.pod.address}:${EGRESS_HTTP_PORT}`,
      controller: `${this.#bed.network.hostAddress}:${CONTROLLER_GRPC_PORT}`,
      address: this.pod.address,
      pod: this.pod.name,
      namespace: this.pod.namespace,
      ...flags,
    });
    this.#process = this.#bed.start({ name: this.pod.name, namespace: this.pod.netns, command });
    await eventually('the egress is alive', () => {
      this.process.assertRunning();
      return answers(`${this.url}/livez`);
    });
  }

  /** Waits until it has its routing table and may be used. */
  async ready(): Promise<void> {
    await eventually('the egress is ready', () => answers(`${this.url}/readyz`));
  }

  /** Sum of the metric's samples, over all labels or those whose text contains `label`; 0 when there is none. */
  async metric(name: string, label = ''): Promise<number> {
    return metricSum(await getText(`${this.url}/metrics`), name, label);
  }

  /** Connections that it has refused, for any reason or for one. */
  async refusals(reason?: string): Promise<number> {
    return this.metric('lazyscope_egress_refused_total', reason === undefined ? '' : `reason="${reason}"`);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.process.stop('SIGKILL');
  }
}
