import { type Resource, ROUTE_CONFIGURATION, type Service } from '../model.ts';
import { distinctlyNamed, hasShortPodNames, type NamedService, type RouteClient } from '../resources/domains.ts';
import type { Message } from '../resources/message.ts';
import { routeName } from '../resources/names.ts';
import { emptyRouteConfiguration, routeClosing, routeOpening, virtualHost } from '../resources/route.ts';
import { LeastRecentlyUsed } from './least-recently-used.ts';
import { type Encoding, encodeResource, resourceOf } from './resource-encoder.ts';

/** Encoded bytes kept for clients to come; those that clients hold live as long as they hold them. */
const KEPT_BYTES = 64 * 1024 * 1024;

/** What has been made of one Service object. It goes with the object. */
interface Known {
  /** Tells the object from others. */
  readonly identity: number;
  /** Its virtual hosts by {@link variantOf} and port. */
  readonly virtualHosts: Map<string, Uint8Array>;
}

/** Route configurations, shared by all clients that see the same services of a port. */
export class RouteResources {
  readonly #encoding: Encoding;
  readonly #configurations = new LeastRecentlyUsed<Resource>(KEPT_BYTES, ({ bytes }) => bytes.length);
  readonly #services = new WeakMap<Service, Known>();
  #lastIdentity = 0;
  /** The same for every port. */
  #closing: Uint8Array | undefined;

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  /** @param services those of the client with this HTTP port, in a stable order */
  routes(port: number, services: readonly Service[], client: RouteClient): Resource {
    return this.#configurations.get(this.#key(port, services, client), () => this.#compose(port, services, client));
  }

  /** For a name that nobody publishes. */
  empty(name: string): Resource {
    return encodeResource(this.#encoding, ROUTE_CONFIGURATION, name, emptyRouteConfiguration(name));
  }

  #compose(port: number, services: readonly Service[], client: RouteClient): Resource {
    this.#closing ??= this.#encode(routeClosing());
    const virtualHosts = distinctlyNamed(services, client).map((named) => this.#virtualHost(port, named, client));
    const bytes = joined([this.#encode(routeOpening(port)), ...virtualHosts, this.#closing]);
    return resourceOf(this.#encoding, ROUTE_CONFIGURATION, routeName(port), bytes);
  }

  #virtualHost(port: number, { service, names, isCut }: NamedService, client: RouteClient): Uint8Array {
    const encode = (): Uint8Array => this.#encode(virtualHost(service, port, names));
    if (isCut) return encode();
    const { virtualHosts } = this.#known(service);
    const key = `${variantOf(service, client)}${port}`;
    const bytes = virtualHosts.get(key) ?? encode();
    virtualHosts.set(key, bytes);
    return bytes;
  }

  #encode(part: Message): Uint8Array {
    return this.#encoding.encode(ROUTE_CONFIGURATION, part);
  }

  /** Everything that the content depends on. */
  #key(port: number, services: readonly Service[], client: RouteClient): string {
    const parts = services.map((service) => `${this.#known(service).identity}${variantOf(service, client)}`);
    return `${port} ${parts.join(' ')}`;
  }

  #known(service: Service): Known {
    const known = this.#services.get(service);
    if (known) return known;
    this.#lastIdentity += 1;
    const added: Known = { identity: this.#lastIdentity, virtualHosts: new Map() };
    this.#services.set(service, added);
    return added;
  }
}

/** What of a service's names depends on the client, whose namespace matters only to services of that namespace. */
function variantOf(service: Service, client: RouteClient): '' | 'own' | 'ownpods' {
  if (service.namespace !== client.namespace) return '';
  return hasShortPodNames(service, client) ? 'ownpods' : 'own';
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}
