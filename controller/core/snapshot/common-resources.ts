/** What every sidecar holds whatever its scope: the listeners and routes of HTTP ports, and TCP services on such ports. */

import { type Endpoint, isHttp, LISTENER, type Resource, type Service, type ServiceKey } from '../model.ts';
import { httpListener } from '../resources/listener.ts';
import { listenerName } from '../resources/names.ts';
import { hasOwnListener, type ServicePortRef } from './held-ports.ts';
import { type Encoding, encodeResource } from './resource-encoder.ts';
import { byName, type ResourceMap, unlessEqualMap } from './resource-map.ts';
import type { RouteResources } from './route-resources.ts';
import type { ServiceResources } from './service-resources.ts';

export interface CommonResources {
  /** TCP services on mixed ports, in the form that leads to the egress. */
  readonly clusters: ResourceMap;
  readonly listeners: ResourceMap;
  /** Routes of a sidecar that has learned nothing. */
  readonly routes: ResourceMap;
  readonly namespaces: ReadonlySet<string>;
}

/** What of a mesh the common resources depend on. */
interface CommonView {
  readonly services: ReadonlyMap<ServiceKey, Service>;
  readonly httpPorts: ReadonlySet<number>;
  endpoints(service: ServiceKey, port: number): readonly Endpoint[];
}

/** Builds the common resources; what is encoded is kept. */
export class CommonResourcesBuilder {
  readonly #encoding: Encoding;
  readonly #services: ServiceResources;
  readonly #routes: RouteResources;
  /** HTTP ports only grow in number, so these stay. */
  readonly #httpListeners = new Map<number, Resource>();

  constructor(encoding: Encoding, services: ServiceResources, routes: RouteResources) {
    this.#encoding = encoding;
    this.#services = services;
    this.#routes = routes;
  }

  /** @param before of an earlier revision: maps with the same content are taken over, and all of it if all are the same */
  build(view: CommonView, before: CommonResources | undefined): CommonResources {
    const built = this.#build(view, before);
    return before && isSame(before, built) ? before : built;
  }

  #build(view: CommonView, before: CommonResources | undefined): CommonResources {
    const namespaces = new Set([...view.services.values()].map(({ namespace }) => namespace));
    const mixed = mixedPorts(view);
    const ports = [...view.httpPorts].sort((a, b) => a - b);
    const client = { namespace: '', namespaces };
    const clusters = mixed.map(({ service, port }) => this.#services.relayedCluster(service, port));
    const tcpListeners = mixed.flatMap(({ service, port }) => this.#services.listeners(service, port));
    const podListeners = headlessTcp(view).flatMap(({ key, port }) =>
      this.#services.podListeners(view.endpoints(key, port.port), view.httpPorts),
    );
    const httpListeners = ports.map((port) => this.#httpListener(port));
    const routes = ports.map((port) => this.#routes.routes(port, [], client));
    return {
      clusters: unlessEqualMap(before?.clusters, byName(clusters)),
      // Two services may claim one ClusterIP while one replaces the other: the first in order has the listener.
      listeners: unlessEqualMap(
        before?.listeners,
        byName([...httpListeners, ...podListeners, ...tcpListeners.reverse()]),
      ),
      routes: unlessEqualMap(before?.routes, byName(routes)),
      namespaces,
    };
  }

  #httpListener(port: number): Resource {
    const known = this.#httpListeners.get(port);
    if (known) return known;
    const resource = encodeResource(this.#encoding, LISTENER, listenerName('0.0.0.0', port), httpListener(port));
    this.#httpListeners.set(port, resource);
    return resource;
  }
}

function isSame(before: CommonResources, after: CommonResources): boolean {
  return (
    before.clusters === after.clusters &&
    before.listeners === after.listeners &&
    before.routes === after.routes &&
    before.namespaces.size === after.namespaces.size &&
    [...after.namespaces].every((namespace) => before.namespaces.has(namespace))
  );
}

/**
 * TCP services on port numbers that are HTTP elsewhere, sorted by service. `0.0.0.0_<port>` would catch them and wait
 * for the client to speak first, so each needs its own listener.
 */
function mixedPorts({ services, httpPorts }: CommonView): readonly ServicePortRef[] {
  const mixed: ServicePortRef[] = [];
  for (const [key, service] of services) {
    for (const port of service.ports) {
      if (httpPorts.has(port.port) && hasOwnListener(service, port)) mixed.push({ key, service, port });
    }
  }
  return mixed.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Headless services' TCP ports, sorted by service. */
function headlessTcp({ services }: CommonView): readonly ServicePortRef[] {
  const found: ServicePortRef[] = [];
  for (const [key, service] of services) {
    if (!service.headless) continue;
    for (const port of service.ports) if (!isHttp(port.protocol)) found.push({ key, service, port });
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1));
}
