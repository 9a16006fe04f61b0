/** Reads the kinds of resource that the routing table is made of. */
import type { SocketAddress } from '../controller/core/model.ts';
import { IDENTITY_METADATA, type PodIdentity } from '../controller/core/pod-identity.ts';
import { METADATA_NAMESPACE, type RelayTarget } from '../controller/core/relay-target.ts';
import { messageType } from '../controller/wire/messages.ts';
import { structToPlain } from '../controller/wire/well-known.ts';
import { canonicalAddress } from './address.ts';

const clusterType = messageType('envoy.config.cluster.v3.Cluster');
const assignmentType = messageType('envoy.config.endpoint.v3.ClusterLoadAssignment');
const PROTOCOLS: readonly unknown[] = ['HTTP', 'HTTP2', 'GRPC', 'TLS', 'TCP', 'Auto'];
/** `envoy.config.core.v3.HealthStatus`: UNKNOWN, HEALTHY and DEGRADED take traffic. */
const READY_HEALTH: readonly unknown[] = [undefined, 0, 1, 5];

interface ClusterMessage {
  readonly metadata?: { readonly filter_metadata?: Readonly<Record<string, unknown>> };
}

interface AssignmentMessage {
  readonly endpoints?: readonly { readonly lb_endpoints?: readonly EndpointMessage[] }[];
}

interface EndpointMessage {
  readonly health_status?: number;
  readonly endpoint?: {
    readonly address?: { readonly socket_address?: { readonly address: string; readonly port_value: number } };
  };
}

/**
 * The relay target in a cluster's metadata.
 * @throws RangeError if the bytes are no cluster, TypeError naming the field that is missing or wrong
 */
export function readCluster(bytes: Uint8Array): RelayTarget {
  const fields = readMetadata(bytes, METADATA_NAMESPACE);
  const { service, port, protocol, clusterIPs, hosts, headless, relayable } = fields;
  const wrongField = (field: string, expected: string): TypeError => wrong(METADATA_NAMESPACE, field, expected);
  if (typeof service !== 'string') throw wrongField('service', 'a text');
  if (typeof port !== 'number') throw wrongField('port', 'a number');
  if (!isProtocol(protocol)) throw wrongField('protocol', PROTOCOLS.join(', '));
  if (!isTexts(clusterIPs)) throw wrongField('clusterIPs', 'a list of texts');
  if (!isTexts(hosts)) throw wrongField('hosts', 'a list of texts');
  if (typeof headless !== 'boolean') throw wrongField('headless', 'true or false');
  if (typeof relayable !== 'boolean') throw wrongField('relayable', 'true or false');
  return { service, port, protocol, clusterIPs, hosts, headless, relayable };
}

/**
 * The identity in a cluster's metadata.
 * @throws RangeError if the bytes are no cluster, TypeError naming the field that is missing or wrong
 */
export function readIdentity(bytes: Uint8Array): PodIdentity {
  const { namespace, serviceAccount, addresses } = readMetadata(bytes, IDENTITY_METADATA);
  if (typeof namespace !== 'string') throw wrong(IDENTITY_METADATA, 'namespace', 'a text');
  if (typeof serviceAccount !== 'string') throw wrong(IDENTITY_METADATA, 'serviceAccount', 'a text');
  if (!isTexts(addresses)) throw wrong(IDENTITY_METADATA, 'addresses', 'a list of texts');
  return { namespace, serviceAccount, addresses };
}

function readMetadata(bytes: Uint8Array, key: string): Readonly<Record<string, unknown>> {
  const message = clusterType.decode(bytes) as ClusterMessage;
  const metadata = message.metadata?.filter_metadata?.[key];
  if (!metadata) throw new TypeError(`metadata.filter_metadata has no "${key}"`);
  return structToPlain(metadata);
}

/**
 * The endpoints that take traffic.
 * @throws RangeError if the bytes are no load assignment
 */
export function readEndpoints(bytes: Uint8Array): readonly SocketAddress[] {
  const message = assignmentType.decode(bytes) as AssignmentMessage;
  const ready: SocketAddress[] = [];
  for (const { lb_endpoints } of message.endpoints ?? []) {
    for (const { endpoint, health_status } of lb_endpoints ?? []) {
      const socket = endpoint?.address?.socket_address;
      if (!socket || !READY_HEALTH.includes(health_status)) continue;
      ready.push({ address: canonicalAddress(socket.address), port: socket.port_value });
    }
  }
  return ready;
}

function isProtocol(value: unknown): value is RelayTarget['protocol'] {
  return PROTOCOLS.includes(value);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

function wrong(key: string, field: string, expected: string): TypeError {
  return new TypeError(`metadata "${key}" field "${field}" must be ${expected}`);
}
