/** Clusters: where a sidecar sends to. Limits are raised to their maximum: who limits traffic is the application and its server, not we. */
import { isHttp, type Service, type ServicePort, type SocketAddress } from '../model.ts';
import { adsSource } from './ads-source.ts';
import { discoveryType } from './discovery-type.ts';
import { staticAssignment } from './endpoint.ts';
import { upstreamHttpOptions } from './http-options.ts';
import { extension, type Message, typed } from './message.ts';
import { BLACK_HOLE_CLUSTER, clusterName, EGRESS_CLUSTER, INBOUND_CLUSTER } from './names.ts';

/** No limits: without a sidecar there would be none, and Envoy's default of 1024 fails requests. */
function unlimited(): Message {
  const most = 4294967295;
  const limits = { max_connections: most, max_pending_requests: most, max_requests: most, max_retries: most };
  return {
    thresholds: [
      { priority: 'DEFAULT', ...limits },
      { priority: 'HIGH', ...limits },
    ],
  };
}

/** Cluster type, and for EDS where the endpoints come from. Shared with the egress's routing table. */
export function endpointDiscovery(service: Service, port: ServicePort): Message {
  // Who dials a headless service has picked a pod: go where it wanted to go.
  if (service.headless) return { type: 'ORIGINAL_DST', lb_policy: 'CLUSTER_PROVIDED' };
  return {
    type: 'EDS',
    eds_cluster_config: { service_name: clusterName(service.host, port), eds_config: adsSource() },
  };
}

/** A learned service port: EDS, or the original destination where the service is headless. */
export function serviceCluster(service: Service, port: ServicePort): Message {
  return {
    name: clusterName(service.host, port),
    ...endpointDiscovery(service, port),
    connect_timeout: '5s',
    circuit_breakers: unlimited(),
    ...(isHttp(port.protocol) ? { typed_extension_protocol_options: upstreamHttpOptions('300s') } : {}),
  };
}

/** The egress under a name: PROXY protocol v2 tells it the pod and the original destination. */
function viaEgress(name: string, egress: readonly SocketAddress[]): Message {
  return {
    name,
    ...discoveryType(egress),
    connect_timeout: '5s',
    load_assignment: staticAssignment(name, egress),
    circuit_breakers: unlimited(),
    // The PROXY header makes the client's address part of the pool key: a pool is never used again once the
    // application's connection has ended, so what idles is waste.
    typed_extension_protocol_options: upstreamHttpOptions('1s'),
    transport_socket: extension(
      'envoy.transport_sockets.upstream_proxy_protocol',
      typed('envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport', {
        config: { version: 'V2' },
        transport_socket: extension(
          'envoy.transport_sockets.raw_buffer',
          typed('envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer'),
        ),
      }),
    ),
  };
}

/** `lazyscope-egress`: everything unknown. */
export function egressCluster(egress: readonly SocketAddress[]): Message {
  return viaEgress(EGRESS_CLUSTER, egress);
}

/**
 * The form of a service port's cluster that leads to the egress. A TCP service on a mixed port has a listener from the
 * start; learning it replaces this cluster by {@link serviceCluster} and cuts no connection.
 */
export function relayedCluster(service: Service, port: ServicePort, egress: readonly SocketAddress[]): Message {
  return viaEgress(clusterName(service.host, port), egress);
}

/** `BlackHoleCluster`: no hosts, so connections end at once. */
export function blackHoleCluster(): Message {
  return {
    name: BLACK_HOLE_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: BLACK_HOLE_CLUSTER },
  };
}

/** `InboundPassthroughCluster`: the pod's own application. */
export function inboundCluster(): Message {
  return {
    name: INBOUND_CLUSTER,
    type: 'ORIGINAL_DST',
    lb_policy: 'CLUSTER_PROVIDED',
    connect_timeout: '5s',
    circuit_breakers: unlimited(),
    // Istio's address: iptables rules leave what comes from it alone, or it would be captured again.
    upstream_bind_config: { source_address: { address: '127.0.0.6', port_value: 0 } },
  };
}
