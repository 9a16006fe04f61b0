import { hostOf } from './key-parts.ts';
import type { NodeIdentity, Pod, ScopedPort, WorkloadKey } from './model.ts';
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
  /** By the pod that the client says it is. */
  readonly #byPod = new Map<string, Set<MeshClient>>();
  readonly #egresses = new Set<MeshClient>();
  readonly #eager = new Set<MeshClient>();

  /** Takes the place of what was known of the stream. */
  connect(client: MeshClient): void {
    this.disconnect(client.stream);
    this.#byStream.set(client.stream, client);
    if (client.node.kind === 'egress') this.#egresses.add(client);
    addTo(this.#byPod, podKey(client.node.namespace, client.node.pod), client);
    if (client.workload !== undefined) addTo(this.#byWorkload, client.workload, client);
  }

  disconnect(stream: number): MeshClient | undefined {
    const client = this.#byStream.get(stream);
    if (!client) return undefined;
    this.#byStream.delete(stream);
    this.#egresses.delete(client);
    this.#eager.delete(client);
    removeFrom(this.#byPod, podKey(client.node.namespace, client.node.pod), client);
    if (client.workload !== undefined) removeFrom(this.#byWorkload, client.workload, client);
    return client;
  }

  /** Notes whose sidecar it is now, and whether it holds everything. */
  identify(client: MeshClient, workload: WorkloadKey | undefined, isEager: boolean): void {
    if (isEager) this.#eager.add(client);
    else this.#eager.delete(client);
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

  /** Sidecars that hold everything. */
  eager(): Iterable<MeshClient> {
    return this.#eager;
  }

  *ofPods(pods: Iterable<Pick<Pod, 'namespace' | 'name'>>): Iterable<MeshClient> {
    for (const { namespace, name } of pods) yield* this.#byPod.get(podKey(namespace, name)) ?? NO_CLIENTS;
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

function podKey(namespace: string, pod: string): string {
  return `${namespace}/${pod}`;
}

/** Whether every one of these clients has acknowledged the cluster of a port. No client at all confirms nothing. */
export function isHeldByAll(clients: ReadonlySet<MeshClient>, { service, port }: ScopedPort): boolean {
  const name = clusterName(hostOf(service), { port });
  return clients.size > 0 && [...clients].every((client) => client.warmed.has(name));
}
