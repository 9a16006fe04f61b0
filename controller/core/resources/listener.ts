/** Listeners of learned and HTTP ports. They bind nothing: `virtualOutbound` hands them connections by original destination. */
import { httpConnectionManager } from './http-connection-manager.ts';
import { extension, type Message, socketAddress, typed } from './message.ts';
import { EGRESS_CLUSTER, listenerName } from './names.ts';
import { tcpProxy } from './tcp-proxy.ts';

const ANY_ADDRESS = '0.0.0.0';

function outbound(address: string, port: number): Message {
  return {
    name: listenerName(address, port),
    address: socketAddress(address, port),
    bind_to_port: false,
    traffic_direction: 'OUTBOUND',
  };
}

/**
 * `0.0.0.0_<port>`: HTTP is routed by host, anything else goes to the egress as it is. The inspector waits as long as
 * the client stays silent: server-first services on this number have listeners of their own, and a timeout would turn
 * clients that connect early into TCP for life.
 */
export function httpListener(port: number): Message {
  return {
    ...outbound(ANY_ADDRESS, port),
    listener_filters: [extension('http', typed('envoy.extensions.filters.listener.http_inspector.v3.HttpInspector'))],
    listener_filters_timeout: '0s',
    filter_chains: [
      {
        name: 'http',
        filter_chain_match: {
          transport_protocol: 'raw_buffer',
          application_protocols: ['http/1.0', 'http/1.1', 'h2c'],
        },
        filters: [httpConnectionManager(port)],
      },
    ],
    default_filter_chain: { name: 'PassthroughFilterChain', filters: [tcpProxy(EGRESS_CLUSTER)] },
  };
}

/**
 * `<ClusterIP>_<port>`: one TCP or TLS service. Without an inspector, so that a server may speak first. It is the same
 * before and after learning, as a changed listener cuts its connections; what changes is the cluster.
 */
export function tcpListener(address: string, port: number, cluster: string): Message {
  return { ...outbound(address, port), filter_chains: [{ filters: [tcpProxy(cluster)] }] };
}
