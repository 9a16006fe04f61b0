import { hostOf } from './key-parts.ts';
import type { NodeIdentity, ScopedPort, WorkloadKey } from './model.ts';
import type { HeldResources } from './ports.ts';
import { clusterName } from './resources/names.ts';

/** The service port that a cluster stands for; `undefined` for a cluster of another kind. */
export function parseClusterName(name: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^outbound\|(\d+)\|\|(.+)$/.exec(name);
  return match?.[1] !== undefined && match[2] !== undefined ? { port: Number(match[1]), host: match[2] } : undefined;
}

/** A connected xDS client, as far as learning is concerned. */
export interface MeshClient {
  readonly node: NodeIdentity;
  readonly stream: number;
  /** What it held when it connected; taken as seeds once its pod is known. */
  held: HeldResources | undefined;
  /** Clusters that it has acknowledged. */
  warmed: ReadonlySet<string>;
  workload: WorkloadKey | undefined;
}

/** The connected xDS clients and the workloads that they belong to. */
export class MeshClients {
  readonly #byStream = new Map<number, MeshClient>();

  connect(client: MeshClient): void {
    this.#byStream.set(client.stream, client);
  }

  disconnect(stream: number): MeshClient | undefined {
    const client = this.#byStream.get(stream);
    this.#byStream.delete(stream);
    return client;
  }

  get(stream: number): MeshClient | undefined {
    return this.#byStream.get(stream);
  }

  all(): Iterable<MeshClient> {
    return this.#byStream.values();
  }

  ofWorkload(workload: WorkloadKey): MeshClient[] {
    return [...this.#byStream.values()].filter((client) => client.workload === workload);
  }
}

/** Whether every one of these clients has acknowledged the cluster of a port. No client at all confirms nothing. */
export function isHeldByAll(clients: readonly MeshClient[], { service, port }: ScopedPort): boolean {
  const name = clusterName(hostOf(service), { port });
  return clients.length > 0 && clients.every((client) => client.warmed.has(name));
}
