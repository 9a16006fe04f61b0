/** A plain Envoy's bootstrap for istiod without TLS, as istio-agent would write it, less what only Istio's build knows. */
import type { SocketAddress } from '../../../controller/core/model.ts';
import type { Pod } from '../../support/bed/pod.ts';

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** istiod's own version: an older one would get an older configuration. */
const ISTIO_VERSION = '1.31.0';

const XDS_CLUSTER = 'xds-grpc';

/** @param clusterDomain DNS domain of Services */
export function plainBootstrap(pod: Pod, xds: SocketAddress, clusterDomain: string): object {
  const source = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
  return {
    node: node(pod, clusterDomain),
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: XDS_CLUSTER } }],
      },
      cds_config: source,
      lds_config: source,
    },
    cluster_manager: { enable_deferred_cluster_creation: true },
    deferred_stat_options: { enable_deferred_creation_stats: true },
    static_resources: { clusters: [xdsCluster(xds)] },
  };
}

/** What istiod learns of the proxy; the fields are those of `NodeMetadata` in Istio's `pkg/model/proxy.go`. */
function node({ name, namespace, address, deployment }: Pod, clusterDomain: string): object {
  return {
    id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.${clusterDomain}`,
    cluster: `${deployment}.${namespace}`,
    metadata: {
      NAMESPACE: namespace,
      CLUSTER_ID: 'Kubernetes',
      INSTANCE_IPS: address,
      INTERCEPTION_MODE: 'REDIRECT',
      ISTIO_VERSION,
      WORKLOAD_NAME: deployment,
      LABELS: { app: deployment },
    },
  };
}

function xdsCluster({ address, port }: SocketAddress): object {
  return {
    name: XDS_CLUSTER,
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: {
        '@type': `type.googleapis.com/${HTTP_OPTIONS}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: XDS_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value: port } } } }] }],
    },
  };
}
