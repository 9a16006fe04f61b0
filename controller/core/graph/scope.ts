import type { Dependency, Scope, ScopedPort, WorkloadKey } from '../model.ts';

/** Everything of the mesh: what a workload with mode `Off` gets. */
export function eagerScope(workload: WorkloadKey): Scope {
  return { workload, kind: 'Eager', warm: [], routed: [] };
}

/**
 * The scope that a workload's dependencies add up to. A port that one protocol has confirmed is routed, even while
 * another protocol's use of it is still warming.
 */
export function scopeOf(workload: WorkloadKey, dependencies: Iterable<Dependency>): Scope {
  const warm = new Map<string, ScopedPort>();
  const routed = new Map<string, ScopedPort>();
  for (const { destination, state } of dependencies) {
    if (destination.kind !== 'Service') continue;
    const port: ScopedPort = { service: destination.service, port: destination.port };
    if (state === 'active') routed.set(portText(port), port);
    if (state === 'warming' || state === 'cooling') warm.set(portText(port), port);
  }
  for (const key of routed.keys()) warm.delete(key);
  return { workload, kind: 'Lazy', warm: sorted(warm.values()), routed: sorted(routed.values()) };
}

/** `namespace/host:port`. */
function portText({ service, port }: ScopedPort): string {
  return `${service}:${port}`;
}

function sorted(ports: Iterable<ScopedPort>): ScopedPort[] {
  return [...ports].sort((a, b) => (a.service === b.service ? a.port - b.port : a.service < b.service ? -1 : 1));
}
