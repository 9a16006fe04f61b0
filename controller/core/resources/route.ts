/**
 * Route configurations: which host of an HTTP port goes to which cluster. They come in parts, each a RouteConfiguration
 * of its own; their bytes one after the other are the whole, as protobuf joins the lists of messages that follow each
 * other: https://protobuf.dev/programming-guides/encoding/#last-one-wins. So a virtual host is encoded once, and not
 * whenever another one of the port comes or goes.
 */
import type { Service } from '../model.ts';
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

/** Where the routes of a port begin. */
export function routeOpening(port: number): Message {
  return { name: routeName(port) };
}

/** A service's virtual host. */
export function virtualHost(service: Service, port: number, names: readonly string[]): Message {
  const host = {
    name: `${service.host}:${port}`,
    domains: names,
    routes: routes('default', toCluster(clusterName(service.host, { port }))),
    include_request_attempt_count: false,
  };
  return { virtual_hosts: [host] };
}

/** What the routes of every port end with: the egress, for hosts that no virtual host before has. */
export function routeClosing(): Message {
  return {
    virtual_hosts: [catchAll()],
    // A route whose cluster is gone fails its own requests; validation would refuse all routes of the port.
    validate_clusters: false,
    ignore_port_in_host_matching: true,
  };
}

/** The answer for a name that we do not know: nothing answered would leave the listener waiting. */
export function emptyRouteConfiguration(name: string): Message {
  return { name };
}
