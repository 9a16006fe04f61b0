/** The configuration that a sidecar starts with: enough to work without a controller, and where to find one. */
import type { NodeIdentity, SocketAddress } from '../model.ts';
import { adsSource } from './ads-source.ts';
import { blackHoleCluster, egressCluster, inboundCluster } from './cluster.ts';
import { discoveryType } from './discovery-type.ts';
import { staticAssignment } from './endpoint.ts';
import { type Message, socketAddress, typed } from './message.ts';
import { XDS_CLUSTER } from './names.ts';
import { virtualInbound, virtualOutbound } from './virtual-listener.ts';

/** What differs from sidecar to sidecar. */
export interface BootstrapOptions {
  readonly node: NodeIdentity;
  /** Name of the workload, without namespace and kind. */
  readonly workload: string;
  /** Where the controller serves ADS, as the pod reaches it; a host name or an IP address. */
  readonly controller: SocketAddress;
  /** Where the egresses listen, as the pod reaches them. */
  readonly egress: readonly SocketAddress[];
  /** Where Envoy's admin interface listens. */
  readonly admin: SocketAddress;
}

function node({ node, workload }: BootstrapOptions): Message {
  return {
    id: node.id,
    cluster: `${workload}.${node.namespace}`,
    metadata: {
      NAMESPACE: node.namespace,
      WORKLOAD_NAME: workload,
      INSTANCE_IPS: node.address,
      INTERCEPTION_MODE: 'REDIRECT',
    },
  };
}

/** Keepalive finds a controller whose machine went away; a stream without news is silent for hours otherwise. */
function xdsCluster(controller: SocketAddress): Message {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name: XDS_CLUSTER,
    ...discoveryType([controller]),
    connect_timeout: '1s',
    load_assignment: staticAssignment(XDS_CLUSTER, [controller]),
    typed_extension_protocol_options: {
      [options]: typed(options, {
        explicit_http_config: {
          http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '5s' } },
        },
      }),
    },
  };
}

function dynamicResources(): Message {
  return {
    ads_config: {
      api_type: 'DELTA_GRPC',
      transport_api_version: 'V3',
      set_node_on_first_message_only: true,
      grpc_services: [
        {
          envoy_grpc: {
            cluster_name: XDS_CLUSTER,
            // Envoy's default lets seconds pass after a restart of the controller.
            retry_policy: { retry_back_off: { base_interval: '0.1s', max_interval: '1s' } },
          },
        },
      ],
    },
    cds_config: adsSource(),
    lds_config: adsSource(),
  };
}

/** A bootstrap for `envoy -c`, as JSON or YAML. */
export function bootstrap(options: BootstrapOptions): Message {
  return {
    node: node(options),
    admin: { address: socketAddress(options.admin.address, options.admin.port) },
    dynamic_resources: dynamicResources(),
    static_resources: {
      listeners: [virtualOutbound(), virtualInbound()],
      clusters: [xdsCluster(options.controller), egressCluster(options.egress), blackHoleCluster(), inboundCluster()],
    },
    // Clusters and statistics that no request has touched yet cost a third less memory.
    cluster_manager: { enable_deferred_cluster_creation: true },
    deferred_stat_options: { enable_deferred_creation_stats: true },
  };
}
