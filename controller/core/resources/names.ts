/** Names of resources. Those of services are Istio's, so that one set of dashboards and habits fits both modes. */
import type { ServicePort } from '../model.ts';

/** Where everything goes that the sidecar does not know. Static in the bootstrap. */
export const EGRESS_CLUSTER = 'lazyscope-egress';
/** Has no hosts: ends connections that would loop. */
export const BLACK_HOLE_CLUSTER = 'BlackHoleCluster';
/** To the application of the same pod, at the address that the caller dialled. */
export const INBOUND_CLUSTER = 'InboundPassthroughCluster';
/** The controller, as the sidecar's configuration server. */
export const XDS_CLUSTER = 'xds-grpc';

/** Port of `virtualOutbound`, where iptables sends what the application dials. */
export const OUTBOUND_PORT = 15001;
/** Port of `virtualInbound`, where iptables sends what dials the pod. */
export const INBOUND_PORT = 15006;

/** `outbound|<port>||<fqdn>`: a cluster, and its ClusterLoadAssignment. */
export function clusterName(host: string, port: Pick<ServicePort, 'port'>): string {
  return `outbound|${port.port}||${host}`;
}

/** `0.0.0.0_<port>` for the listener of an HTTP port, `<ClusterIP>_<port>` for that of a TCP service. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

/** Route configurations are named by their port alone. */
export function routeName(port: number): string {
  return String(port);
}
