/** One ADS server of a shared mesh, on a core of its own, with all its clients connected from another. */
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT, RESOURCE_TYPES } from '../../../controller/core/model.ts';
import { BenchProgram } from '../method/bench-program.ts';
import { LOAD_CORE, MEASURED_CORE } from '../method/pin.ts';
import { peer } from '../peers/peers.ts';
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

const CONTROLLER = new URL('../programs/mesh-controller.ts', import.meta.url).pathname;
/** What every server can serve: routes differ from client to client under one name, which a LinearCache cannot. */
const COMMON_TYPES = [CLUSTER, CLUSTER_LOAD_ASSIGNMENT];

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
    // A LinearCache has one set for everybody: of it, a client asks for what is its own by name.
    const asked = kind === 'linear' ? ['-by-name', '-types', COMMON_TYPES.join(',')] : [];
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

  /** Equal for sides whose clients hold the same of the types that both serve. */
  async digest(other: XdsSide): Promise<string> {
    const types = this.kind === 'linear' || other.kind === 'linear' ? COMMON_TYPES : RESOURCE_TYPES;
    return (await this.#clients.call<{ digest: string }>('digest', { types })).digest;
  }

  /** CPU seconds of the server alone. */
  cpuSeconds(): number {
    return this.#server.cpuSeconds();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#clients.stop(), this.#server.stop()]);
  }
}

/**
 * Makes the same change on both sides.
 * @throws Error unless all clients of both hold the same afterwards: a fast wrong answer is none
 */
export async function assertSameAnswers(ours: XdsSide, theirs: XdsSide, change: MeshChange): Promise<void> {
  for (const side of [ours, theirs]) await side.change(change);
  if ((await ours.digest(theirs)) === (await theirs.digest(ours))) return;
  throw new Error(`Clients of ${ours.kind} and ${theirs.kind} hold different resources`);
}
