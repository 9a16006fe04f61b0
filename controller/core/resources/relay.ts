/** The egress's routing table: one cluster for each service port. Never dialled by Envoy itself. */
import { addressesOf } from '../addresses.ts';
import type { Service, ServicePort } from '../model.ts';
import { serviceKey } from '../registry/service-index.ts';
import { METADATA_NAMESPACE, type RelayTarget } from '../relay-target.ts';
import { endpointDiscovery } from './cluster.ts';
import { commonHosts } from './domains.ts';
import type { Message } from './message.ts';
import { clusterName } from './names.ts';

/** What the egress must know of a service port. Everything registered may be relayed. */
function relayTarget(service: Service, port: ServicePort): RelayTarget {
  return {
    service: serviceKey(service),
    port: port.port,
    protocol: port.protocol,
    clusterIPs: addressesOf(service.clusterIPs),
    hosts: commonHosts(service),
    headless: service.headless,
    relayable: true,
  };
}

function relayMetadata(service: Service, port: ServicePort): Message {
  return { filter_metadata: { [METADATA_NAMESPACE]: relayTarget(service, port) } };
}

/** A service port as a cluster without endpoints, its {@link RelayTarget} in the metadata. */
export function tableCluster(service: Service, port: ServicePort): Message {
  return { name: clusterName(service.host, port), metadata: relayMetadata(service, port) };
}

/** The same, and how its endpoints are found: the egress dials them. */
export function relayCluster(service: Service, port: ServicePort): Message {
  return {
    name: clusterName(service.host, port),
    ...endpointDiscovery(service, port),
    connect_timeout: '5s',
    metadata: relayMetadata(service, port),
  };
}
