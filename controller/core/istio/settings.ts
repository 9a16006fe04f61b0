import type { ServiceKey } from '../model.ts';
import type { ExternalDirectSettings } from './external-direct-settings.ts';

/** What Istio mode is run with. */
export interface IstioSettings {
  /** Where egress, placeholder and decoy are, and this controller. */
  readonly namespace: string;
  /** Istio's root namespace: objects there concern every namespace. */
  readonly rootNamespace: string;
  readonly clusterDomain: string;
  /** How long a write takes to reach every sidecar, in ms, where no probe tells: more than istiod's longest debounce. */
  readonly promotionDelayMs: number;
  /** Narrows workloads though the hop to the egress is in clear. */
  readonly allowPlaintextHop: boolean;
  /** Narrows workloads though policies may look at the caller, whom the egress hides on first use. */
  readonly allowRelayPastPolicies: boolean;
  /** Absent: what is external crosses the egress, and leaves with its address. */
  readonly externalDirect?: ExternalDirectSettings;
}

/** Istio's mesh config in the root namespace. */
export const MESH_CONFIG = 'istio';
/** Names of the Services that a mesh gets once. */
export const EGRESS_SERVICE = 'lazyscope-egress';
/** Has every HTTP port and no endpoints; imported by every lazy Sidecar, so that each request goes its own way. */
export const PLACEHOLDER_SERVICE = 'lazyscope-placeholder';
/**
 * Has the same ports and is imported by no lazy Sidecar. istiod caches routes by the services that are visible on a port:
 * without it an eager proxy that sees the same services as a lazy one is given the lazy one's routes.
 */
export const DECOY_SERVICE = 'lazyscope-decoy';
/** Where sidecars connect to on the egress's Service. */
export const EGRESS_PORT = 15080;
/** Its existence in our namespace takes every workload back to eager. */
export const KILL_SWITCH = 'lazyscope-kill-switch';
/** Everything that is exported to the workload: what an eager sidecar holds. */
export const EVERYTHING: ServiceKey = '*/*';

/** FQDN of a Service of ours. */
export function ownHost({ namespace, clusterDomain }: IstioSettings, service: string): string {
  return `${service}.${namespace}.svc.${clusterDomain}`;
}

/** Key of a Service of ours. */
export function ownKey(settings: IstioSettings, service: string): ServiceKey {
  return `${settings.namespace}/${ownHost(settings, service)}`;
}
