/** The Sidecar resource of one lazy workload. https://istio.io/latest/docs/reference/config/networking/sidecar/ */

import type { Labels, ServiceKey, WorkloadKey } from '../model.ts';
import type { Manifest, ManifestRef } from '../publishing.ts';
import { MANAGED_BY, WORKLOAD_ANNOTATION } from './ownership.ts';
import { EGRESS_PORT, EGRESS_SERVICE, type IstioSettings, ownHost } from './settings.ts';

const API_VERSION = 'networking.istio.io/v1';
const LONGEST_NAME = 253;

/** A listener that nobody connects to: what it imports is held by the sidecar, and no route leads to it. */
const WARM_LISTENER = {
  port: { number: 15998, protocol: 'HTTP_PROXY', name: 'warm' },
  bind: '127.0.0.1',
} as const;

/** What a workload's sidecars hold. The two sets have nothing in common. */
export interface SidecarScope {
  /** Held and routed to. */
  readonly routed: ReadonlySet<ServiceKey>;
  /** Held only. */
  readonly warm: ReadonlySet<ServiceKey>;
}

export interface SidecarParts extends SidecarScope {
  readonly workload: WorkloadKey;
  /** Selects the workload's pods and no others. */
  readonly selector: Labels;
  /** What every lazy sidecar holds: egress, placeholder, what must stay direct. */
  readonly base: readonly ServiceKey[];
}

/** `lazyscope-<kind>-<name>` in the workload's namespace. */
export function sidecarRef(workload: WorkloadKey): ManifestRef {
  const [namespace = '', kind = '', name = ''] = workload.split('/');
  return {
    apiVersion: API_VERSION,
    kind: 'Sidecar',
    namespace,
    name: bounded(`lazyscope-${kind.toLowerCase()}-${name}`),
  };
}

/**
 * The Sidecar. Its `mode` is always written: an absent one means REGISTRY_ONLY to istiod when the mesh says so, which
 * then ignores `egressProxy`.
 */
export function sidecarManifest(parts: SidecarParts, settings: IstioSettings): Manifest {
  const { workload, selector, base, routed, warm } = parts;
  const { apiVersion, kind, namespace, name } = sidecarRef(workload);
  const egressProxy = { host: ownHost(settings, EGRESS_SERVICE), port: { number: EGRESS_PORT } };
  const warmEntry = warm.size === 0 ? [] : [{ ...WARM_LISTENER, hosts: [...warm].sort() }];
  return {
    apiVersion,
    kind,
    metadata: { namespace, name, labels: MANAGED_BY, annotations: { [WORKLOAD_ANNOTATION]: workload } },
    spec: {
      workloadSelector: { labels: selector },
      outboundTrafficPolicy: { mode: 'ALLOW_ANY', egressProxy },
      // istiod wants the entry without a port last: it catches everything.
      egress: [...warmEntry, { hosts: [...new Set([...base, ...routed])].sort() }],
    },
  };
}

/** Names have a limit; where it cuts, a hash of the whole keeps two of them apart. */
function bounded(name: string): string {
  if (name.length <= LONGEST_NAME) return name;
  const hash = fnv1a(name).toString(36);
  // A dot may not stand before the hyphen.
  return `${name.slice(0, LONGEST_NAME - hash.length - 1).replace(/[^a-z0-9]+$/, '')}-${hash}`;
}

/** http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  return hash;
}
