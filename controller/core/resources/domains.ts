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
