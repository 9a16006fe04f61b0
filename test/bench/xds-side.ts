/** One ADS server of a shared mesh, on a core of its own, with all its clients connected from another. */
import { BenchProgram, LOAD_CORE, MEASURED_CORE } from './bench-program.ts';
import { peer } from './peers.ts';
import { meshCluster, type SharedMesh } from './shared-mesh.ts';

/** What serves: the controller, or go-control-plane from one of its caches. */
export type XdsServer = 'controller' | 'snapshot' | 'linear';

/** Of each client, bytes received since it began. */
export interface Traffic {
  /** Of the HTTP/2 frames that carry messages. */
  readonly messages: readonly number[];
  /** Of the `envoy.service.discovery.v3.Resource`s in those messages. */
  readonly resources: readonly number[];
  /** Of all other frames: pings, windows, settings, headers. */
  readonly control: readonly number[];
}

export interface MeshChange {
  /** Index of the service of which an endpoint moves. */
  readonly index: number;
  /** Where to. */
  readonly variant: number;
  /** Clients that use the service. */
  readonly expect: number;
  /** SnapshotCache: publish to those clients only. Default: to all, as control planes do that are built on it. */
  readonly narrow?: boolean;
}

const CONTROLLER = new URL('./programs/mesh-controller.ts', import.meta.url).pathname;
const TYPES_BY_NAME = [
  'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
];

export class XdsSide {
  readonly kind: XdsServer;
  readonly #server: BenchProgram;
  readonly #clients: BenchProgram;

  private constructor(kind: XdsServer, server: BenchProgram, clients: BenchProgram) {
    this.kind = kind;
    this.#server = server;
    this.#clients = clients;
  }

  /** @param file where the controller writes what each client is to hold, and its peers read it: so it is started first */
  static async start(kind: XdsServer, mesh: SharedMesh, file: string): Promise<XdsSide> {
    const [command, ...args] =
      kind === 'controller'
        ? [process.execPath, CONTROLLER, JSON.stringify(mesh), file]
        : [await peer('xds-server'), '-cache', kind, '-mesh', file];
    const server = await BenchProgram.start<{ port: number }>(MEASURED_CORE, command, args);
    const target = `127.0.0.1:${server.hello.port}`;
    // Its clients do not get what is not theirs by asking for all: there is one set for everybody.
    const asked = kind === 'linear' ? ['-by-name', '-types', TYPES_BY_NAME.join(',')] : [];
    try {
      const clients = await BenchProgram.start(LOAD_CORE, await peer('xds-clients'), [
        ...['-target', target, '-mesh', file],
        ...asked,
      ]);
      return new XdsSide(kind, server.program, clients.program);
    } catch (error) {
      await server.program.stop();
      throw error;
    }
  }

  /** Resolves with the milliseconds until the last acknowledgement. */
  async change({ index, ...change }: MeshChange): Promise<number> {
    const { ms } = await this.#server.call<{ ms: number }>('change', { ...change, index, service: meshCluster(index) });
    return ms;
  }

  traffic(): Promise<Traffic> {
    return this.#clients.call('traffic');
  }

  /** Equal for sides whose clients hold the same. */
  async digest(): Promise<string> {
    return (await this.#clients.call<{ digest: string }>('digest')).digest;
  }

  /** CPU seconds of the server alone. */
  cpuSeconds(): number {
    return this.#server.cpuSeconds();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#clients.stop(), this.#server.stop()]);
  }
}
