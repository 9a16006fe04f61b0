/** Access logs for the controller of a large mesh, from a process of their own. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { BedProcess } from '../../support/bed/bed-process.ts';
import { CONTROLLER_GRPC_PORT } from '../../support/bed/ports.ts';
import type { FeedCommand, FeedOptions, FeedReport } from '../programs/egress-feed.ts';
import type { LargeMesh } from './large-mesh.ts';

const PROGRAM = fileURLToPath(new URL('../programs/egress-feed.ts', import.meta.url));

export class LargeMeshFeed {
  readonly #process: BedProcess;

  private constructor(process: BedProcess) {
    this.#process = process;
  }

  /** In the name of the mesh's egress, whose program does not run. */
  static async start(
    { mesh, clusterIPs }: LargeMesh,
    callers: Pick<FeedOptions, 'first' | 'workloads' | 'dependencies' | 'pods'>,
  ): Promise<LargeMeshFeed> {
    const { bed } = mesh.bed;
    const { address, name, namespace } = mesh.egress.pod;
    const feed = new LargeMeshFeed(
      bed.start({ name: 'egress-feed', command: [process.execPath, PROGRAM], channel: true }),
    );
    const nodeId = `egress~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`;
    const controller = `${bed.network.hostAddress}:${CONTROLLER_GRPC_PORT}`;
    await feed.#tell({ kind: 'Begin', options: { ...callers, controller, nodeId, clusterIPs } });
    return feed;
  }

  /** Tells every edge so many times, as fast as the controller takes it. @returns number of entries */
  async feed(passes: number): Promise<number> {
    return (await this.#tell({ kind: 'Feed', passes })).entries;
  }

  /** Tells edges in turn from now on. */
  async trickle(entriesPerSecond: number): Promise<void> {
    await this.#tell({ kind: 'Trickle', entriesPerSecond });
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  async #tell(command: FeedCommand): Promise<FeedReport> {
    this.#process.child.send(command);
    const [report] = (await once(this.#process.child, 'message')) as [FeedReport];
    return report;
  }
}
