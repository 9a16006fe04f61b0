/** The core's view of the outside: what shells implement, and what the pipeline offers to shells. */
import type { MeshObject, ObjectRef } from './mesh-object.ts';
import type {
  AccessLogEntry,
  Dependency,
  NodeIdentity,
  ResourceType,
  Snapshot,
  Timestamp,
  WorkloadKey,
} from './model.ts';

/** Bad input that was skipped: named, counted, never fatal. */
export interface Problem {
  /** Where: a file and document, an object, an access log stream, an xDS client. */
  readonly subject: string;
  /** What is wrong and what to do. */
  readonly reason: string;
}

/** One change of the mesh as a source tells it. */
export type MeshEvent =
  | { readonly type: 'Applied'; readonly object: MeshObject; readonly at: Timestamp }
  | { readonly type: 'Deleted'; readonly ref: ObjectRef; readonly at: Timestamp };

/** What a source calls. All calls are synchronous and cheap. */
export interface MeshSink {
  /** Events in order; a batch is applied as one step. */
  events(batch: readonly MeshEvent[]): void;
  /** Everything that existed at start has been told. Called once; nothing is served before. */
  synced(at: Timestamp): void;
  problem(problem: Problem): void;
  /** These kinds may not be read at present (called again with the whole set whenever it changes). */
  unreadable(kinds: ReadonlySet<MeshObject['kind']>): void;
}

/** Where mesh objects come from: a folder of files, or a Kubernetes API server. */
export interface MeshSource {
  /** Starts to tell; resolves once `synced` was called. Rejects only for a wrong configuration. */
  start(sink: MeshSink): Promise<void>;
  stop(): Promise<void>;
}

/** What a store held when it was opened. */
export interface StoredGraph {
  readonly dependencies: readonly Dependency[];
  /** When this store was created; a young store means that sidecars may know more than we do (seeds). */
  readonly createdAt: Timestamp;
}

/** State that lasts. One contract suite: `test/contract/store.ts`. */
export interface Store {
  /** Opens, migrates, loads. A corrupt store is set aside and reported through `problem`; the result is then empty. */
  load(now: Timestamp): Promise<StoredGraph>;
  /**
   * Upserts by source, destination and protocol. Durable when it resolves: it survives kill -9.
   * When it rejects, nothing that was saved before may be relied on either (the file may have been taken away under
   * us, and an empty one opened instead): everything must be saved again.
   */
  save(dependencies: readonly Dependency[]): Promise<void>;
  close(): Promise<void>;
}

/** Takes entries in; called by the ALS shell, once per received message. */
export interface AccessLogSink {
  accessLogs(entries: readonly AccessLogEntry[], receivedAt: Timestamp): void;
  /**
   * An egress has refused connections since it last said so, about every 5 s: its limits are reached, or the
   * certificates of the two sides do not fit, or it was somebody who has no business there.
   * @param reporter node id of the egress
   * @param connections how many, by source address
   */
  egressRefused(reporter: string, connections: ReadonlyMap<string, number>, at: Timestamp): void;
}

/** How one xDS client stands, as the ADS shell sees it. */
export interface ClientStatus {
  readonly node: NodeIdentity;
  /** Distinguishes two streams with one node id. */
  readonly stream: number;
  readonly connectedAt: Timestamp;
  /** Whether everything that was published has been acknowledged. */
  readonly synced: boolean;
  /** Clusters that this client holds, `outbound|` ones only. */
  readonly clusters: number;
  readonly lastAckAt?: Timestamp;
  /** The newest NACK, while the resource it names is quarantined. */
  readonly rejected?: { readonly type: ResourceType; readonly resources: readonly string[]; readonly message: string };
}

/** What the ADS shell asks and tells; implemented by the pipeline. */
export interface SnapshotSource {
  /**
   * What this client should hold now. `undefined`: not known yet (registry or graph still loading, or a pod that the
   * source has not told) — say nothing to the client, it keeps what it has.
   */
  snapshot(node: NodeIdentity): Snapshot | undefined;
  /** Streams of the clients that changes concern, as they stand now: a pod's workload can change. */
  streamsOf(dirty: DirtyClients): Iterable<number>;
  /** Calls back, coalesced, with the clients' workloads whose snapshot may differ now. `All` includes egresses. */
  onDirty(listener: (dirty: DirtyClients) => void): void;
  /**
   * A client opened a stream. `held` are the names and versions it said it holds (`initial_resource_versions`)
   * for clusters and listeners. Called before the first `snapshot` for that stream; called again for the same stream,
   * with all of it, when a later request tells more (listeners are told after clusters; clusters may be held back).
   */
  clientConnected(node: NodeIdentity, stream: number, held: HeldResources, at: Timestamp): void;
  /**
   * The client has acknowledged clusters: they are warm. Called with every cluster it now holds, except those in the
   * form that leads to the egress.
   */
  clientWarmed(node: NodeIdentity, stream: number, clusters: ReadonlySet<string>, at: Timestamp): void;
  clientDisconnected(node: NodeIdentity, stream: number, at: Timestamp): void;
}

/** Version by name of what a reconnecting client holds. */
export interface HeldResources {
  readonly clusters: ReadonlyMap<string, string>;
  readonly listeners: ReadonlyMap<string, string>;
}

/** Whom a change concerns. Egress clients hold every service, so most changes concern them. */
export interface DirtyClients {
  /** Every client, whatever it is. */
  readonly all: boolean;
  /** Egresses. */
  readonly egress: boolean;
  readonly workloads: ReadonlySet<WorkloadKey>;
}
