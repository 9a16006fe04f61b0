/** What a workload's Sidecar should route to. */
import { hostOf } from '../key-parts.ts';
import type { VirtualService } from '../mesh-policy.ts';
import type { ScopedPort, ServiceKey } from '../model.ts';

export interface WantedView {
  /** Those of sidecars that name the host, exactly or by wildcard. */
  virtualServicesFor(host: string): Iterable<VirtualService>;
  /** HTTP port numbers of a service or mesh host; none where it does not exist now. */
  httpPortsOf(service: ServiceKey): Iterable<number>;
}

/** What limits a scope. */
export interface ScopeLimits {
  /** HTTP ports that placeholder and decoy have: a scope with another would share its routes with eager sidecars. */
  readonly openPorts: ReadonlySet<number>;
  /** What is routed to already stays, whatever ports it gets. */
  readonly routed: ReadonlySet<ServiceKey>;
  /** What every lazy sidecar holds anyway, and what none may. */
  readonly never: ReadonlySet<ServiceKey>;
}

/** Above this many pins a workload would hold much that it does not use. */
export const MOST_PINS = 50;

/**
 * Services that a lazy sidecar must route to, used or not: those with a TCP port whose number is HTTP elsewhere. On such
 * a port the sidecar waits for the client's first bytes, and a server that speaks first would never be reached.
 */
export function pins(mixedPorts: Iterable<ScopedPort>): ReadonlySet<ServiceKey> {
  return new Set([...mixedPorts].map(({ service }) => service));
}

/**
 * The learned services and the pins, each with the namespaces of the VirtualServices that speak for its host: istiod
 * applies only those that the Sidecar imports, and brings their destinations into the scope by itself.
 */
export function wantedKeys(
  used: Iterable<ServiceKey>,
  view: WantedView,
  { openPorts, routed, never }: ScopeLimits,
): ReadonlySet<ServiceKey> {
  const wanted = new Set<ServiceKey>();
  for (const service of used) {
    if (never.has(service)) continue;
    const isOpen = routed.has(service) || [...view.httpPortsOf(service)].every((port) => openPorts.has(port));
    if (!isOpen) continue;
    wanted.add(service);
    const host = hostOf(service);
    for (const { namespace } of view.virtualServicesFor(host)) wanted.add(`${namespace}/${host}`);
  }
  return wanted;
}
