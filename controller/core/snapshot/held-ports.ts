import type { Scope, ScopedPort, Service, ServiceKey, ServicePort } from '../model.ts';
import { isHttp } from '../model.ts';

/** A port of a service that exists. */
export interface ServicePortRef {
  readonly key: ServiceKey;
  readonly service: Service;
  readonly port: ServicePort;
}

/**
 * Whether a sidecar can have a cluster of its own for the port. Headless TCP it cannot: nothing but the pods'
 * addresses names such a service, so it stays with the egress.
 */
function isHoldable(service: Service, port: ServicePort): boolean {
  return isHttp(port.protocol) || hasOwnListener(service, port);
}

/** Whether the port is told from others by ClusterIP, not by host. */
export function hasOwnListener(service: Service, port: ServicePort): boolean {
  return !isHttp(port.protocol) && !service.headless;
}

/** Every holdable port of the mesh, sorted by service. */
export function allPorts(services: ReadonlyMap<ServiceKey, Service>): readonly ServicePortRef[] {
  const refs: ServicePortRef[] = [];
  for (const key of [...services.keys()].sort()) {
    const service = services.get(key);
    if (service) refs.push(...holdable(key, service));
  }
  return refs;
}

function holdable(key: ServiceKey, service: Service): readonly ServicePortRef[] {
  return service.ports.filter((port) => isHoldable(service, port)).map((port) => ({ key, service, port }));
}

/**
 * The holdable ports of a lazy scope, warm and routed alike, sorted by service and port. What does not exist (any more)
 * is left out.
 */
export function scopedPorts(services: ReadonlyMap<ServiceKey, Service>, scope: Scope): readonly ServicePortRef[] {
  const refs = new Map<string, ServicePortRef>();
  for (const scoped of [...scope.warm, ...scope.routed].sort(byServiceAndPort)) {
    const service = services.get(scoped.service);
    const port = service?.ports.find((candidate) => candidate.port === scoped.port);
    if (!service || !port || !isHoldable(service, port)) continue;
    refs.set(`${scoped.service} ${scoped.port}`, { key: scoped.service, service, port });
  }
  return [...refs.values()];
}

function byServiceAndPort(a: ScopedPort, b: ScopedPort): number {
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  return a.port - b.port;
}
