/**
 * The words that everything here speaks, as types. Everything here is immutable data:
 * a changed object is a new object, so identity tells whether anything changed.
 */

import type { Addresses } from './addresses.ts';

/** Milliseconds since the epoch. The core never reads a clock; every event brings its own time. */
export type Timestamp = number;

/** `namespace/Kind/name`, for example `shop/Deployment/cart`. */
export type WorkloadKey = string;

/** `namespace/host`, for example `shop/cart.shop.svc.cluster.local`: the very string of an Istio Sidecar egress host. */
export type ServiceKey = string;

/** Key by value of labels. */
export type Labels = Readonly<Record<string, string>>;

/**
 * Protocol of a service port: its appProtocol, else the prefix of its name, else TCP in direct mode and `Auto` (found
 * out by Envoy from the first bytes) in Istio mode.
 * `HTTP`, `HTTP2` and `GRPC` are the declared HTTP protocols (see {@link isHttp}).
 */
export type PortProtocol = 'HTTP' | 'HTTP2' | 'GRPC' | 'TLS' | 'TCP' | 'Auto';

/** Whether Envoy serves the port with an HTTP connection manager on `0.0.0.0_<port>`. */
export function isHttp(protocol: PortProtocol): boolean {
  return protocol === 'HTTP' || protocol === 'HTTP2' || protocol === 'GRPC';
}

/** What a workload's sidecars get: `Off` everything (eager), `Enforce` its scope. `Observe` is Istio mode's default. */
export type Mode = 'Off' | 'Observe' | 'Enforce';

export interface ServicePort {
  /** May be empty for a single-port Service, as in Kubernetes. */
  readonly name: string;
  readonly port: number;
  /** Number, or the name of a container port. Absent: same as `port`. */
  readonly targetPort?: number | string;
  readonly protocol: PortProtocol;
}

/** A Kubernetes Service, reduced to what scoping needs. UDP and SCTP ports are dropped on arrival. */
export interface Service {
  readonly kind: 'Service';
  readonly namespace: string;
  readonly name: string;
  /** `<name>.<namespace>.svc.<cluster domain>`. */
  readonly host: string;
  /** Empty for headless services. */
  readonly clusterIPs: Addresses;
  readonly headless: boolean;
  readonly ports: readonly ServicePort[];
}

/** One slice of a Service's endpoints (`discovery.k8s.io/v1`). A Service has any number of them. */
export interface EndpointSlice {
  readonly kind: 'EndpointSlice';
  readonly namespace: string;
  readonly name: string;
  /** Name of the Service (label `kubernetes.io/service-name`), same namespace. */
  readonly service: string;
  /** Port numbers here are *target* ports, joined to the Service by port name. */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
  /** Addresses, separated by blanks, with `!` behind those that are not ready. */
  readonly endpoints: string;
}

/** The controller owner of an object (`metadata.ownerReferences[controller=true]`). */
export interface Owner {
  readonly kind: string;
  readonly name: string;
}

export interface Pod {
  readonly kind: 'Pod';
  readonly namespace: string;
  readonly name: string;
  /** `status.podIPs`; empty until the pod has one. */
  readonly addresses: Addresses;
  readonly owner?: Owner;
  readonly hostNetwork: boolean;
  /** `status.startTime`, else `metadata.creationTimestamp`; second granularity. */
  readonly startedAt?: Timestamp;
  /** Phase `Succeeded` or `Failed`: its addresses belong to nobody any more. */
  readonly finished: boolean;
  /** Annotation `lazyscope.io/mode`. */
  readonly mode?: Mode;
  readonly labels: Labels;
  /** `spec.serviceAccountName`, `default` where none is written: part of the pod's mTLS identity. */
  readonly serviceAccount: string;
  /** Why Istio does not give this pod a sidecar that could be narrowed, where its labels or annotations say so. */
  readonly role?: 'Gateway' | 'Ambient';
}

/** What controls pods: known to find a pod's real workload, and for the workload's own mode. */
export interface PodController {
  readonly kind: PodControllerKind;
  readonly namespace: string;
  readonly name: string;
  readonly owner?: Owner;
  /** Annotation `lazyscope.io/mode`. */
  readonly mode?: Mode;
}

export type PodControllerKind = 'ReplicaSet' | 'Job' | 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'CronJob';

export interface Namespace {
  readonly kind: 'Namespace';
  /** Always empty: namespaces are cluster-scoped. */
  readonly namespace: '';
  readonly name: string;
  readonly mode?: Mode;
}

export interface Node {
  readonly kind: 'Node';
  readonly namespace: '';
  readonly name: string;
  readonly addresses: readonly string[];
}

/** An address and port of TCP over IPv4 or IPv6; the address is in canonical text form. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

/** What the bytes of a connection turned out to be. */
export type WireProtocol = 'HTTP1' | 'HTTP2' | 'TLS' | 'TCP';

/** Increments since the last entry of the same reporter, source, destination, host and protocol. */
export interface TrafficCounters {
  readonly connections: number;
  readonly requests: number;
  /** Source to destination. */
  readonly bytesSent: number;
  /** Destination to source. */
  readonly bytesReceived: number;
  readonly errors: number;
}

/** One access log entry of an egress, in our words. Its wire form is Envoy's `envoy.data.accesslog.v3`. */
export interface AccessLogEntry {
  /** `Start`: first sight on a connection. `Periodic`: re-announcement with counters. `End`: the connection closed. */
  readonly phase: 'Start' | 'Periodic' | 'End';
  /** Node id of the egress. */
  readonly reporter: string;
  /** When the connection began: it decides who owned the source address. */
  readonly startTime: Timestamp;
  /** The pod's end of the connection, as the PROXY header names it. */
  readonly source: SocketAddress;
  /** The *original* destination, as the PROXY header names it. */
  readonly destination: SocketAddress;
  readonly protocol: WireProtocol;
  /** HTTP/1 Host as sent, port included where it was sent. */
  readonly host?: string;
  /** TLS server name. */
  readonly serverName?: string;
  /** The dial succeeded: only what answers counts. */
  readonly answered: boolean;
  readonly counters: TrafficCounters;
}

/** Why traffic stays on the egress though it was seen. */
export type RelayReason =
  | 'PodIP'
  | 'NodeIP'
  | 'External'
  | 'HostMismatch'
  | 'SniMismatch'
  /** Bytes that are no plain HTTP on a port declared HTTP: Envoy hands them to its pass-through chain for good. */
  | 'ProtocolMismatch'
  /** A ServiceEntry with a TCP port and no address: in a scope it would take everything on that port. */
  | 'CapturesPort'
  /** A headless Service with a port that declares no protocol. */
  | 'UndeclaredHeadless';

/** How an edge became known. */
export type EdgeOrigin = 'EgressLog' | 'Seed';

/** What an edge leads to. A service port can be promoted, an address is only ever relayed. */
export type Destination =
  | { readonly kind: 'Service'; readonly service: ServiceKey; readonly port: number }
  | { readonly kind: 'Address'; readonly address: string; readonly port: number; readonly host?: string };

/**
 * State of one dependency.
 * `observed` is not yet durable; `warming` is published but not confirmed by every connected sidecar of the workload
 * (Istio mode: not routed yet by its Sidecar); `active` is confirmed; `relayed` is never promoted;
 * `cooling` is still held but no longer routed, `expired` neither: both are learned again by the next use.
 */
export type DependencyState = 'observed' | 'warming' | 'active' | 'relayed' | 'cooling' | 'expired';

/** One learned edge, and how it stands for its workload. This is also the row that a store keeps. */
export interface Dependency {
  readonly source: WorkloadKey;
  readonly destination: Destination;
  readonly protocol: WireProtocol;
  readonly origin: EdgeOrigin;
  readonly state: DependencyState;
  /** Set exactly when `state` is `relayed`. */
  readonly relayReason?: RelayReason;
  readonly firstSeen: Timestamp;
  readonly lastSeen: Timestamp;
  readonly counters: TrafficCounters;
  /** When it entered `warming`. */
  readonly promotedAt?: Timestamp;
  /** When the workload's sidecars had first confirmed it. */
  readonly confirmedAt?: Timestamp;
  /** Start of the newest connection that crossed the egress though the dependency was confirmed 30 s before. */
  readonly relayedAt?: Timestamp;
  /** When it began to leave the scope; set exactly while it is `cooling` or `expired`. */
  readonly cooledAt?: Timestamp;
}

/** A service port in a scope. */
export interface ScopedPort {
  readonly service: ServiceKey;
  readonly port: number;
}

/**
 * What one workload may see; both modes share it. Compared by value.
 * `warm` may be held but not yet routed to; `routed` is both. Direct mode holds and routes the union
 * (each Envoy's own CDS ACK separates the two), Istio mode projects to service keys.
 */
export interface Scope {
  readonly workload: WorkloadKey;
  /** `Eager`: every service of the mesh, the two lists are empty. */
  readonly kind: 'Lazy' | 'Eager';
  /** Sorted by service, then port. */
  readonly warm: readonly ScopedPort[];
  /** Sorted by service, then port. */
  readonly routed: readonly ScopedPort[];
}

/** A ready or not ready address behind a service port. */
export interface Endpoint extends SocketAddress {
  readonly ready: boolean;
}

/** The node id `<kind>~<ip>~<pod>.<namespace>~<domain>`, Istio's form. */
export interface NodeIdentity {
  readonly id: string;
  readonly kind: 'sidecar' | 'egress';
  readonly address: string;
  readonly pod: string;
  readonly namespace: string;
  readonly domain: string;
}

/** xDS type URLs in push order: clusters before endpoints before listeners before routes. */
export const RESOURCE_TYPES = [
  'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  'type.googleapis.com/envoy.config.listener.v3.Listener',
  'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
] as const;
export type ResourceType = (typeof RESOURCE_TYPES)[number];
export const [CLUSTER, CLUSTER_LOAD_ASSIGNMENT, LISTENER, ROUTE_CONFIGURATION] = RESOURCE_TYPES;

/** One encoded xDS resource. `version` is a hash of `bytes`, so equal content is an equal version, also after a restart. */
export interface Resource {
  readonly type: ResourceType;
  readonly name: string;
  readonly version: string;
  readonly bytes: Uint8Array;
}

/** Everything one xDS client should hold, by type and name. Resources are shared between snapshots. */
export type Snapshot = Readonly<Record<ResourceType, ReadonlyMap<string, Resource>>>;
