/** An Envoy in the place of the egress: it takes PROXY v2, proxies HTTP, and logs each request by ALS. */
import type { SocketAddress } from '../../../../controller/core/model.ts';
import { EGRESS_LOG_NAME } from '../../../../controller/wire/access-log.ts';

const FILTERS = 'type.googleapis.com/envoy.extensions.filters';

export interface EnvoyEgress {
  /** Node id. */
  readonly node: string;
  readonly listen: SocketAddress;
  readonly origin: SocketAddress;
  /** Where access logs go. */
  readonly controller: SocketAddress;
}

/**
 * Its bootstrap. Kinder to Envoy than to us: one cluster for all destinations, no header added, no request id made,
 * and a log only when a request is over.
 */
export function envoyEgress({ node, listen, origin, controller }: EnvoyEgress): object {
  return {
    node: { id: node, cluster: 'egress' },
    static_resources: {
      listeners: [
        {
          name: 'egress',
          address: socketAddress(listen),
          listener_filters: [
            {
              name: 'proxy_protocol',
              typed_config: { '@type': `${FILTERS}.listener.proxy_protocol.v3.ProxyProtocol` },
            },
          ],
          filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager() }] }],
        },
      ],
      clusters: [cluster('origin', origin), { ...cluster('controller', controller), ...HTTP2 }],
    },
  };
}

function connectionManager(): object {
  return {
    '@type': `${FILTERS}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'egress',
    generate_request_id: false,
    server_header_transformation: 'PASS_THROUGH',
    access_log: [
      {
        name: 'als',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
          common_config: {
            log_name: EGRESS_LOG_NAME,
            transport_api_version: 'V3',
            grpc_service: { envoy_grpc: { cluster_name: 'controller' } },
          },
        },
      },
    ],
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': `${FILTERS}.http.router.v3.Router`, suppress_envoy_headers: true },
      },
    ],
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'origin', timeout: '0s' } }],
        },
      ],
    },
  };
}

const NO_LIMIT = 4_294_967_295;

function cluster(name: string, address: SocketAddress): object {
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    circuit_breakers: {
      thresholds: [{ max_connections: NO_LIMIT, max_pending_requests: NO_LIMIT, max_requests: NO_LIMIT }],
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(address) } }] }],
    },
  };
}

const HTTP2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

function socketAddress({ address, port }: SocketAddress): object {
  return { socket_address: { address, port_value: port } };
}
