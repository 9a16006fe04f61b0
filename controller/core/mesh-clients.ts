import { hostOf } from './key-parts.ts';
import type { NodeIdentity, ScopedPort, WorkloadKey } from './model.ts';
import type { DirtyClients, HeldResources } from './ports.ts';
import { addTo, removeFrom } from './registry/set-map.ts';
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
  /** Set by {@link MeshClients.identify} alone. */
  workload: WorkloadKey | undefined;
}

/** The connected xDS clients and the workloads that they belong to. */
export class MeshClients {
  readonly #byStream = new Map<number, MeshClient>();
  readonly #byWorkload = new Map<WorkloadKey, Set<MeshClient>>();
  readonly #egresses = new Set<MeshClient>();

  /** Takes the place of what was known of the stream. */
  connect(client: MeshClient): void {
    this.disconnect(client.stream);
    this.#byStream.set(client.stream, client);
    if (client.node.kind === 'egress') this.#egresses.add(client);
    if (client.workload !== undefined) addTo(this.#byWorkload, client.workload, client);
  }

  disconnect(stream: number): MeshClient | undefined {
    const client = this.#byStream.get(stream);
    if (!client) return undefined;
    this.#byStream.delete(stream);
    this.#egresses.delete(client);
    if (client.workload !== undefined) removeFrom(this.#byWorkload, client.workload, client);
    return client;
  }

  /** Notes whose sidecar it is now. */
  identify(client: MeshClient, workload: WorkloadKey | undefined): void {
    if (client.workload === workload) return;
    if (client.workload !== undefined) removeFrom(this.#byWorkload, client.workload, client);
    client.workload = workload;
    if (workload !== undefined) addTo(this.#byWorkload, workload, client);
  }

  get(stream: number): MeshClient | undefined {
    return this.#byStream.get(stream);
  }

  all(): Iterable<MeshClient> {
    return this.#byStream.values();
  }

  egresses(): ReadonlySet<MeshClient> {
    return this.#egresses;
  }

  ofWorkload(workload: WorkloadKey): ReadonlySet<MeshClient> {
    return this.#byWorkload.get(workload) ?? NO_CLIENTS;
  }

  /** Whom a change concerns: it costs what they are many, not what all are. */
  *concernedBy({ all, egress, workloads }: DirtyClients): Iterable<MeshClient> {
    if (all) return yield* this.#byStream.values();
    if (egress) yield* this.#egresses;
    for (const workload of workloads) yield* this.ofWorkload(workload);
  }
}

const NO_CLIENTS: ReadonlySet<MeshClient> = new Set();

/** Whether every one of these clients has acknowledged the cluster of a port. No client at all confirms nothing. */
export function isHeldByAll(clients: ReadonlySet<MeshClient>, { service, port }: ScopedPort): boolean {
  const name = clusterName(hostOf(service), { port });
  return clients.size > 0 && [...clients].every((client) => client.warmed.has(name));
}
