/**
 * What the HTTP API and the client commands show: one model for page, CLI and status, with the same names and counts.
 * Times are ISO 8601 in UTC, so that a saved answer reads without us.
 */
import type { DependencyState, EdgeOrigin, Mode, RelayReason, ServiceKey, WireProtocol, WorkloadKey } from './model.ts';

/** A remark on a dependency that its state does not tell. */
export type DependencyFlag =
  /** Active for 30 s, but new connections still cross the egress (within the last 10 minutes). */
  | 'partlyRelayed'
  /** Warming for more than 5 s: a sidecar has not acknowledged the cluster. */
  | 'degraded'
  /** The destination service is not in the mesh now; the edge is kept. */
  | 'missing';

export interface EdgeReport {
  readonly from: WorkloadKey;
  /** `namespace/host` of a service, or `address:port` (with the host where one was named) of a relayed address. */
  readonly to: string;
  readonly port: number;
  readonly protocol: WireProtocol;
  readonly state: DependencyState;
  readonly relayReason?: RelayReason;
  readonly flags: readonly DependencyFlag[];
  readonly origin: EdgeOrigin;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly promotedAt?: string;
  readonly confirmedAt?: string;
  readonly connections: number;
  readonly requests: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly errors: number;
}

export interface ProxyReport {
  /** Node id. */
  readonly node: string;
  readonly pod: string;
  /** `Waiting`: something published is not acknowledged yet. `Rejected`: a NACKed resource is quarantined. */
  readonly sync: 'Synced' | 'Waiting' | 'Rejected';
  readonly connectedSince: string;
  /** `outbound|` clusters that it holds. */
  readonly clusters: number;
  readonly lastAck?: string;
  readonly rejected?: string;
}

/** Istio mode: how the workload's Sidecar stands. */
export interface PublicationReport {
  /** `Eager`: there is no Sidecar of ours. `Changing`: services are on their way in or out, in two phases. */
  readonly state: 'Eager' | 'Lazy' | 'Changing';
  /** Services that it routes to, besides what every lazy sidecar holds. */
  readonly routed: number;
  /** Services that it only holds: on their way in or out. */
  readonly warm: number;
  /** Why it is not lazy though its mode is Enforce; `reason` is stable. */
  readonly refusal?: { readonly reason: string; readonly message: string };
}

export interface WorkloadReport {
  readonly workload: WorkloadKey;
  readonly mode: Mode;
  /** Why this mode: the annotation's object, or the default. */
  readonly modeSource: string;
  readonly dependencies: number;
  readonly relayed: number;
  readonly clusters: {
    /** In its scope. */
    readonly kept: number;
    /** What an eager sidecar would hold. */
    readonly total: number;
  };
  readonly pods: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly proxies: readonly ProxyReport[];
  /** Present in Istio mode. */
  readonly publication?: PublicationReport;
}

export interface WorkloadDetail extends WorkloadReport {
  readonly edges: readonly EdgeReport[];
}

/** A node of the graph: a workload, a service, or an address that no service stands for. */
export interface GraphNode {
  readonly id: string;
  readonly kind: 'Workload' | 'Service' | 'Address';
  readonly namespace?: string;
}

export interface GraphReport {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly EdgeReport[];
}

/** What the whole controller knows, for `lazyscope status`. */
export interface MeshReport {
  readonly services: number;
  readonly workloads: number;
  readonly edges: number;
  readonly proxies: number;
  readonly egresses: number;
  /** Node ids of connected sidecars whose pod no source has told, sorted. They are among `proxies` and are served nothing. */
  readonly unknownProxies: readonly string[];
  /** Bad input that was skipped since start, newest last, at most 100. */
  readonly problems: readonly { readonly subject: string; readonly reason: string; readonly at: string }[];
  readonly problemsTotal: number;
}

export interface EdgeFilter {
  /** Namespace of the source. */
  readonly namespace?: string;
  readonly from?: WorkloadKey;
  readonly to?: ServiceKey;
}

/** Named conditions of `/readyz`. `degraded` does not make the controller unready. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly degraded?: boolean;
  readonly detail: string;
}

/** Answers of the controller, sorted and ready to print. Implemented by the pipeline. */
export interface ReadModel {
  mesh(): MeshReport;
  /** Sorted by key. */
  workloads(filter: { readonly namespace?: string }): readonly WorkloadReport[];
  workload(key: WorkloadKey): WorkloadDetail | undefined;
  /** Sorted by source, destination, port, protocol. */
  edges(filter: EdgeFilter): readonly EdgeReport[];
  graph(filter: EdgeFilter): GraphReport;
}
