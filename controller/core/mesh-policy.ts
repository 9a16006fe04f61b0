/** Istio's and Kubernetes' policy objects, reduced to what decides who may be lazy and how. Immutable data, as in `model.ts`. */
import type { Labels, ServiceKey, ServicePort, WorkloadKey } from './model.ts';

/** `networking.istio.io` ServiceEntry. */
export interface ServiceEntry {
  readonly kind: 'ServiceEntry';
  readonly namespace: string;
  readonly name: string;
  /** Lower case; wildcards (`*.example.com`) included. */
  readonly hosts: readonly string[];
  /** IP addresses and CIDR blocks in canonical text; empty: identified by Host or server name alone. */
  readonly addresses: readonly string[];
  /** What istiod allocated for each host, where there are no addresses; only clients with DNS capture are told it. */
  readonly allocated?: readonly { readonly host: string; readonly address: string }[];
  readonly ports: readonly ServicePort[];
  readonly resolution: 'NONE' | 'STATIC' | 'DNS' | 'DNS_ROUND_ROBIN' | 'DYNAMIC_DNS';
  readonly exportTo?: ExportTo;
  /** On those that we wrote: `spec` as JSON with sorted keys. */
  readonly managedSpec?: string;
}

/** Namespaces that see the object: names, `.` for its own, `*` for all, `~` for none. Absent: all. */
export type ExportTo = readonly string[];

/** `networking.istio.io` VirtualService. */
export interface VirtualService {
  readonly kind: 'VirtualService';
  readonly namespace: string;
  readonly name: string;
  /** As FQDN in lower case: a short name is one of the object's own namespace. Wildcards included. */
  readonly hosts: readonly string[];
  /** Applies to sidecars (`gateways` is absent or contains `mesh`). */
  readonly isMesh: boolean;
  /** Has HTTP routes: only then it makes hosts that are no services. */
  readonly routesHttp: boolean;
  readonly exportTo?: ExportTo;
  /** On those that we wrote: `spec` as JSON with sorted keys. */
  readonly managedSpec?: string;
}

/** `networking.istio.io` DestinationRule, as far as it concerns the way to the egress. */
export interface DestinationRule {
  readonly kind: 'DestinationRule';
  readonly namespace: string;
  readonly name: string;
  /** As FQDN in lower case. Wildcards included. */
  readonly host: string;
  /** `trafficPolicy.proxyProtocol.version`, with Istio's default `V1` where the message is empty. */
  readonly proxyProtocol?: 'V1' | 'V2';
  /** `trafficPolicy.tls.mode`. */
  readonly tls?: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
}

/** `networking.istio.io` Sidecar. */
export interface Sidecar {
  readonly kind: 'Sidecar';
  readonly namespace: string;
  readonly name: string;
  /** `workloadSelector.labels`; absent: all of its namespace. */
  readonly selector?: Labels;
  /** It has an `outboundTrafficPolicy` whose mode is REGISTRY_ONLY, which is the default of the field. */
  readonly isRegistryOnly?: boolean;
  /** Present on those that we wrote: label `app.kubernetes.io/managed-by: lazyscope`. */
  readonly managed?: ManagedSidecar;
}

/** What one of our own Sidecars says. */
export interface ManagedSidecar {
  /** Annotation `lazyscope.io/workload`. */
  readonly workload: WorkloadKey;
  /** Hosts of the entry that catches everything, as written, sorted. */
  readonly routed: readonly ServiceKey[];
  /** Hosts of the warm entry (its own port and loopback bind); empty where there is none. */
  readonly warm: readonly ServiceKey[];
  /** The fields of `spec` that we write, as JSON with sorted keys: equal text is equal content. */
  readonly spec: string;
}

/** `security.istio.io` AuthorizationPolicy. */
export interface AuthorizationPolicy {
  readonly kind: 'AuthorizationPolicy';
  readonly namespace: string;
  readonly name: string;
  /** The first field that looks at the caller (`spec.rules[0].from[0].source.principals`); absent: none does. */
  readonly callerField?: string;
}

/** `networking.k8s.io/v1` NetworkPolicy. */
export interface NetworkPolicy {
  readonly kind: 'NetworkPolicy';
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: LabelSelector;
}

/** `metav1.LabelSelector`: every part must match; without parts it matches everything. */
export interface LabelSelector {
  readonly matchLabels: Labels;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
    readonly values: readonly string[];
  }[];
}

/** A ConfigMap: whether it exists (the kill switch), and what it says as Istio's mesh config. */
export interface ConfigMap {
  readonly kind: 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  /** Of `data.mesh`: whether `outboundTrafficPolicy.mode` is REGISTRY_ONLY; absent where there is no readable one. */
  readonly isRegistryOnly?: boolean;
}

/** Objects that only Istio mode reads. */
export type MeshPolicy =
  | ServiceEntry
  | VirtualService
  | DestinationRule
  | Sidecar
  | AuthorizationPolicy
  | NetworkPolicy
  | ConfigMap;
