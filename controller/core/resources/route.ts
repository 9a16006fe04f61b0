/** Route configurations: which host of an HTTP port goes to which cluster. */
import type { Service } from '../model.ts';
import { domains, type RouteClient } from './domains.ts';
import type { Message } from './message.ts';
import { clusterName, EGRESS_CLUSTER, routeName } from './names.ts';

/** Name of the virtual host and route for everything unknown; Istio's, so access logs tell lazy from direct alike. */
const CATCH_ALL = 'allow_any';

/** Streams of any length: no timeout ends them. */
function toCluster(cluster: string): Message {
  return { cluster, timeout: '0s', max_stream_duration: { max_stream_duration: '0s' }, idle_timeout: '0s' };
}

/** CONNECT has no path, so it needs a match of its own. */
function routes(name: string, route: Message): readonly Message[] {
  return [
    { match: { connect_matcher: {} }, route },
    { name, match: { prefix: '/' }, route },
  ];
}

/** Unknown hosts, to the egress. Retried only where no egress has seen anything of the request yet. */
function catchAll(): Message {
  const route = {
    ...toCluster(EGRESS_CLUSTER),
    retry_policy: { retry_on: 'connect-failure,refused-stream', num_retries: 2 },
  };
  return { name: CATCH_ALL, domains: ['*'], routes: routes(CATCH_ALL, route) };
}

function virtualHost(service: Service, port: number, names: readonly string[]): Message {
  return {
    name: `${service.host}:${port}`,
    domains: names,
    routes: routes('default', toCluster(clusterName(service.host, { port }))),
    include_request_attempt_count: false,
  };
}

/** Services in order of namespace and host: the order that decides who gets a name that two claim. */
function inOrder(services: readonly Service[]): readonly Service[] {
  return [...services].sort((a, b) => (`${a.namespace}/${a.host}` < `${b.namespace}/${b.host}` ? -1 : 1));
}

/**
 * The routes of an HTTP port: one virtual host for each service, then the egress for every other host. Envoy refuses a
 * configuration that names a domain twice, so the first service in order keeps it.
 * @param services those with this port, in any order
 */
export function routeConfiguration(port: number, services: readonly Service[], client: RouteClient): Message {
  const taken = new Set<string>();
  const virtualHosts: Message[] = [];
  for (const service of inOrder(services)) {
    const names = domains(service, client).filter((name) => !taken.has(name));
    for (const name of names) taken.add(name);
    if (names.length > 0) virtualHosts.push(virtualHost(service, port, names));
  }
  return {
    name: routeName(port),
    // A route whose cluster is gone fails its own requests; validation would refuse all routes of the port.
    validate_clusters: false,
    ignore_port_in_host_matching: true,
    virtual_hosts: [...virtualHosts, catchAll()],
  };
}

/** The answer for a name that we do not know: nothing answered would leave the listener waiting. */
export function emptyRouteConfiguration(name: string): Message {
  return { name };
}
