import { type Resource, ROUTE_CONFIGURATION, type Service } from '../model.ts';
import { hasShortPodNames, type RouteClient } from '../resources/domains.ts';
import { routeName } from '../resources/names.ts';
import { emptyRouteConfiguration, routeConfiguration } from '../resources/route.ts';
import { LeastRecentlyUsed } from './least-recently-used.ts';
import { type Encoding, encodeResource } from './resource-encoder.ts';

/** Encoded bytes kept for clients to come; those that clients hold live as long as they hold them. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** Route configurations, shared by all clients that see the same services of a port. */
export class RouteResources {
  readonly #encoding: Encoding;
  readonly #known = new LeastRecentlyUsed<Resource>(KEPT_BYTES, ({ bytes }) => bytes.length);
  readonly #identities = new WeakMap<Service, number>();
  #lastIdentity = 0;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  /** @param services those of the client with this HTTP port, in a stable order */
  routes(port: number, services: readonly Service[], client: RouteClient): Resource {
    return this.#known.get(this.#key(port, services, client), () =>
      this.#encode(routeName(port), routeConfiguration(port, services, client)),
    );
  }

  /** For a name that nobody publishes. */
  empty(name: string): Resource {
    return this.#encode(name, emptyRouteConfiguration(name));
  }

  #encode(name: string, message: ReturnType<typeof routeConfiguration>): Resource {
    return encodeResource(this.#encoding, ROUTE_CONFIGURATION, name, message);
  }

  /** Everything that the content depends on. The client's namespace matters only to services of that namespace. */
  #key(port: number, services: readonly Service[], client: RouteClient): string {
    const parts = services.map((service) => {
      const own = service.namespace === client.namespace ? 'own' : '';
      return `${this.#identity(service)}${own}${hasShortPodNames(service, client) ? 'pods' : ''}`;
    });
    return `${port} ${parts.join(' ')}`;
  }

  #identity(service: Service): number {
    const known = this.#identities.get(service);
    if (known !== undefined) return known;
    this.#lastIdentity += 1;
    this.#identities.set(service, this.#lastIdentity);
    return this.#lastIdentity;
  }
}
