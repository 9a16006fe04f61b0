import { addressesOf } from '../addresses.ts';
import type { Service } from '../model.ts';

/** Who reads the routes: names are short or ambiguous by the namespace that asks. */
export interface RouteClient {
  readonly namespace: string;
  /** Namespaces of the mesh. */
  readonly namespaces: ReadonlySet<string>;
}

/** Names that mean a service to every namespace: FQDN, `svc.ns.svc`, `svc.ns`. Lower case. */
export function commonHosts(service: Service): readonly string[] {
  const { host, name, namespace } = service;
  return [...new Set([host, `${name}.${namespace}.svc`, `${name}.${namespace}`])].map((text) => text.toLowerCase());
}

/**
 * Whether `<pod>.<svc>` is a pod of the headless service to this client. Where a namespace has the service's name it
 * may as well be a service there, and taking that for a pod would misroute it; the egress tells the two apart.
 */
export function hasShortPodNames(service: Service, client: RouteClient): boolean {
  return service.headless && service.namespace === client.namespace && !client.namespaces.has(service.name);
}

/** Brackets stand around an IPv6 address in a Host header. */
function asHost(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/**
 * Host headers that mean a service to a client: its names, short ones in its own namespace, and its ClusterIPs. For a
 * headless service also the names of its pods, by wildcard. Ports are left out: the routes ignore them.
 */
export function domains(service: Service, client: RouteClient): readonly string[] {
  const common = commonHosts(service);
  const short = service.namespace === client.namespace ? [service.name] : [];
  const full = `${service.host.toLowerCase()}.`;
  if (!service.headless) return [...common, ...short, full, ...addressesOf(service.clusterIPs).map(asHost)];
  const ofPods = [...common, full, ...(hasShortPodNames(service, client) ? short : [])].map((name) => `*.${name}`);
  return [...common, ...short, full, ...ofPods];
}

/** The names that a service has among others. */
export interface NamedService {
  readonly service: Service;
  /** At least one. */
  readonly names: readonly string[];
  /** Another service has some of its names. */
  readonly isCut: boolean;
}

/**
 * Services with names that no other has, as Envoy refuses a configuration that names a domain twice: the first in order
 * of namespace and host keeps it. One without any name of its own is left out.
 * @param services in any order
 */
export function distinctlyNamed(services: readonly Service[], client: RouteClient): readonly NamedService[] {
  const taken = new Set<string>();
  const named: NamedService[] = [];
  for (const service of inOrder(services)) {
    const all = domains(service, client);
    const names = all.filter((name) => !taken.has(name));
    for (const name of names) taken.add(name);
    if (names.length > 0) named.push({ service, names, isCut: names.length < all.length });
  }
  return named;
}

function inOrder(services: readonly Service[]): readonly Service[] {
  return [...services].sort((a, b) => (`${a.namespace}/${a.host}` < `${b.namespace}/${b.host}` ? -1 : 1));
}
