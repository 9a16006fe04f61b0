import { type Addresses, addressesOf } from '../addresses.ts';
import { namespaceOf } from '../key-parts.ts';
import {
  type AccessLogEntry,
  type Destination,
  isHttp,
  type RelayReason,
  type Service,
  type SocketAddress,
  type Timestamp,
  type WorkloadKey,
} from '../model.ts';
import type { KnownPod } from '../registry/known-pod.ts';
import { serviceKey } from '../registry/service-index.ts';

/** Of a DNS name (RFC 1035); what a client says beyond that is cut, since it is kept for good. */
const LONGEST_NAME = 253;

/** What attribution asks of the registry. */
export interface AttributionView {
  ownerAt(address: string, at: Timestamp): KnownPod | undefined;
  isNodeAddress(address: string): boolean;
  hasPod(address: string): boolean;
  serviceByHost(host: string, namespace: string): Service | undefined;
  serviceByClusterIP(address: string): Service | undefined;
  headlessByEndpoint(address: string, port: number): Service | undefined;
}

/** Who called what, as far as the mesh is known now. */
export type Attribution =
  | {
      readonly kind: 'Edge';
      readonly source: WorkloadKey;
      readonly destination: Destination;
      /** Set where the destination cannot be promoted. */
      readonly relayReason?: RelayReason;
    }
  /** No pod is known to have had the source address then: it may be told soon. */
  | { readonly kind: 'UnknownSource' };

/** Half of an attribution: where it leads. */
export interface Target {
  readonly destination: Destination;
  readonly relayReason?: RelayReason;
}

/**
 * Attributes one entry in direct mode. Destination, first match: an HTTP Host that is a domain of a service on that
 * port; the ClusterIP; the endpoint of a headless service; the TLS server name; a pod or node; else external.
 */
export function attribute(entry: AccessLogEntry, view: AttributionView): Attribution {
  const owner = view.ownerAt(entry.source.address, entry.startTime);
  if (!owner) return { kind: 'UnknownSource' };
  const namespace = namespaceOf(owner.workload);
  const target =
    byHost(entry, namespace, view) ??
    byClusterIP(entry, view) ??
    byHeadlessEndpoint(entry, view) ??
    byServerName(entry, namespace, view) ??
    byAddress(entry, view);
  return { kind: 'Edge', source: owner.workload, ...target };
}

/** Direct mode routes by Host on the port's shared listener, whatever address the client dialled. */
function byHost(entry: AccessLogEntry, namespace: string, view: AttributionView): Target | undefined {
  if (entry.protocol !== 'HTTP1' || entry.host === undefined) return undefined;
  const service = view.serviceByHost(hostWithoutPort(entry.host), namespace);
  return service && isDeclaredHttp(service, entry.destination.port)
    ? { destination: servicePort(service, entry.destination.port) }
    : undefined;
}

function byClusterIP(entry: AccessLogEntry, view: AttributionView): Target | undefined {
  const { address, port } = entry.destination;
  const service = view.serviceByClusterIP(address);
  if (!service?.ports.some((candidate) => candidate.port === port)) return undefined;
  const destination = servicePort(service, port);
  if (!isDeclaredHttp(service, port)) return { destination };
  return relayed(destination, httpMismatch(entry, service.clusterIPs));
}

/** A client picks a headless service's pod itself; on a declared HTTP port the sidecar can still route it by Host. */
function byHeadlessEndpoint(entry: AccessLogEntry, view: AttributionView): Target | undefined {
  const { address, port } = entry.destination;
  const service = view.headlessByEndpoint(address, port);
  if (!service || !isDeclaredHttp(service, port)) return undefined;
  return relayed(servicePort(service, port), httpMismatch(entry, service.clusterIPs));
}

/** The name tells the service, but a sidecar could not know it from the address: it stays relayed. */
function byServerName(entry: AccessLogEntry, namespace: string, view: AttributionView): Target | undefined {
  if (entry.protocol !== 'TLS' || entry.serverName === undefined) return undefined;
  const service = view.serviceByHost(entry.serverName, namespace);
  if (!service?.ports.some(({ port }) => port === entry.destination.port)) return undefined;
  return { destination: servicePort(service, entry.destination.port), relayReason: 'SniMismatch' };
}

/** What no service stands for. */
export function byAddress(entry: AccessLogEntry, view: AttributionView): Target {
  const name = entry.host ?? entry.serverName;
  const destination: Destination = {
    kind: 'Address',
    address: entry.destination.address,
    port: entry.destination.port,
    ...(name === undefined ? {} : { host: hostWithoutPort(name).toLowerCase().slice(0, LONGEST_NAME) }),
  };
  return { destination, relayReason: addressKind(entry.destination, entry.startTime, view) };
}

function addressKind({ address }: SocketAddress, at: Timestamp, view: AttributionView): RelayReason {
  if (view.isNodeAddress(address)) return 'NodeIP';
  return view.hasPod(address) || view.ownerAt(address, at) ? 'PodIP' : 'External';
}

/**
 * Why a connection to an HTTP port cannot be routed to its service by a sidecar, if so.
 * @param addresses those of the service, which are domains of it
 */
export function httpMismatch(entry: AccessLogEntry, addresses: Addresses): RelayReason | undefined {
  if (entry.protocol === 'TCP' || entry.protocol === 'TLS') return 'ProtocolMismatch';
  if (entry.protocol === 'HTTP2' || entry.host === undefined) return undefined;
  const host = hostWithoutPort(entry.host).replace(/^\[|\]$/g, '');
  return addressesOf(addresses).includes(host) ? undefined : 'HostMismatch';
}

/** A target, relayed where there is a reason. */
export function relayed(destination: Destination, relayReason: RelayReason | undefined): Target {
  return relayReason === undefined ? { destination } : { destination, relayReason };
}

/** A port of a service. */
export function servicePort(service: Pick<Service, 'namespace' | 'host'>, port: number): Destination {
  return { kind: 'Service', service: serviceKey(service), port };
}

/** Whether the service has a port of this number, declared HTTP. */
export function isDeclaredHttp(service: Pick<Service, 'ports'>, port: number): boolean {
  return service.ports.some((candidate) => candidate.port === port && isHttp(candidate.protocol));
}

/** Host of `host`, `host:port`, `[v6]` or `[v6]:port`; the brackets of an IPv6 address stay. */
export function hostWithoutPort(host: string): string {
  return host.replace(/:\d*$/, '');
}
