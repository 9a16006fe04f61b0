import { namespaceOf } from '../key-parts.ts';
import { type AccessLogEntry, isHttp, type RelayReason, type ServicePort } from '../model.ts';
import { hostPatterns } from '../registry/host-table.ts';
import type { MeshHost } from '../registry/mesh-host.ts';
import type { AddressedHost } from '../registry/mesh-host-index.ts';
import type { HeadlessPort } from '../registry/service-index.ts';
import {
  type Attribution,
  type AttributionView,
  byAddress,
  hostWithoutPort,
  httpMismatch,
  isDeclaredHttp,
  relayed,
  servicePort,
  type Target,
} from './attribution.ts';

/** What attribution in Istio mode asks of the registry. */
export interface IstioAttributionView extends AttributionView {
  headlessPorts(address: string, port: number): readonly HeadlessPort[];
  meshHostsByName(name: string, namespace: string): readonly MeshHost[];
  meshHostsByAddress(address: string, namespace: string): readonly AddressedHost[];
}

/** An entry, and where it was seen from. */
interface Question {
  readonly entry: AccessLogEntry;
  /** Of the source. */
  readonly namespace: string;
  readonly view: IstioAttributionView;
}

/** What the dialled address alone tells. */
interface Addressed {
  readonly target: Target;
  /** A sidecar that holds it has a listener at this very address: whatever comes there is for it, whoever is named. */
  readonly hasOwnListener: boolean;
}

/**
 * Attributes one entry as a sidecar of istiod's would route it. Destination, first match: an address with a listener of
 * its own; an HTTP Host that is a domain of a Service or mesh host on that port; any other address of a Service or
 * ServiceEntry, or behind a headless service; the TLS server name; a pod or node; else external.
 */
export function attributeInIstio(entry: AccessLogEntry, view: IstioAttributionView): Attribution {
  const owner = view.ownerAt(entry.source.address, entry.startTime);
  if (!owner) return { kind: 'UnknownSource' };
  const question = { entry, view, namespace: namespaceOf(owner.workload) };
  const addressed = byClusterIP(question) ?? byEntryAddress(question) ?? byHeadlessEndpoint(question);
  const target =
    (addressed?.hasOwnListener ? addressed.target : undefined) ??
    byHost(question) ??
    addressed?.target ??
    byServerName(question) ??
    byAddress(entry, view);
  return { kind: 'Edge', source: owner.workload, ...target };
}

/** A declared HTTP port has one listener for all addresses, which routes by Host. */
function byHost({ entry, namespace, view }: Question): Target | undefined {
  if (entry.protocol !== 'HTTP1' || entry.host === undefined) return undefined;
  const name = hostWithoutPort(entry.host);
  const { port } = entry.destination;
  const service = view.serviceByHost(name, namespace);
  if (service && isDeclaredHttp(service, port)) return { destination: servicePort(service, port) };
  const host = view.meshHostsByName(name, namespace).find((candidate) => isDeclaredHttp(candidate, port));
  return host && relayed(servicePort(host, port), host.neverPromoted);
}

function byClusterIP({ entry, view }: Question): Addressed | undefined {
  const { address, port } = entry.destination;
  const service = view.serviceByClusterIP(address);
  const found = service?.ports.find((candidate) => candidate.port === port);
  if (!service || !found) return undefined;
  const hasOwnListener = !isHttp(found.protocol);
  const mismatch = hasOwnListener ? undefined : httpMismatch(entry, service.clusterIPs);
  return { target: relayed(servicePort(service, port), mismatch), hasOwnListener };
}

function byEntryAddress({ entry, namespace, view }: Question): Addressed | undefined {
  const { address, port } = entry.destination;
  for (const addressed of view.meshHostsByAddress(address, namespace)) {
    const found = addressed.host.ports.find((candidate) => candidate.port === port);
    if (!found) continue;
    const target = relayed(servicePort(addressed.host, port), entryReason(entry, addressed, found));
    return { target, hasOwnListener: addressed.by !== 'Range' && !isHttp(found.protocol) };
  }
  return undefined;
}

/** Who dials an allocated address has DNS capture, and then a listener at that address instead of one for the whole port. */
function entryReason(entry: AccessLogEntry, { host, by }: AddressedHost, port: ServicePort): RelayReason | undefined {
  if (host.neverPromoted && by !== 'Allocated') return host.neverPromoted;
  if (isHttp(port.protocol)) return httpMismatch(entry, [...host.addresses, ...host.allocated]);
  // A block has no listener of its own: on the port's common one, TLS is matched by server name too.
  const isNamed = hostPatterns(entry.serverName?.toLowerCase() ?? '').includes(host.host);
  return by === 'Range' && port.protocol === 'TLS' && !isNamed ? 'SniMismatch' : undefined;
}

/** Several headless services may stand before a pod: one that a sidecar can route to is enough. */
function byHeadlessEndpoint({ entry, view }: Question): Addressed | undefined {
  const { address, port } = entry.destination;
  const all = view.headlessPorts(address, port).map((found) => {
    const target = relayed(servicePort(found.service, found.port.port), headlessReason(entry, found));
    return { target, hasOwnListener: target.relayReason === undefined && !isHttp(found.port.protocol) };
  });
  return all.find(({ target }) => target.relayReason === undefined) ?? all[0];
}

/** Listeners and routes have the service's port number, and the client dials the pod's. */
function headlessReason(entry: AccessLogEntry, { port }: HeadlessPort): RelayReason | undefined {
  if (port.protocol === 'Auto') return 'UndeclaredHeadless';
  if (port.port !== entry.destination.port) return 'PodIP';
  return isHttp(port.protocol) ? httpMismatch(entry, []) : undefined;
}

/** Without an address a TLS port is matched by server name alone; with one the name tells the service, but leads nowhere. */
function byServerName({ entry, namespace, view }: Question): Target | undefined {
  if (entry.protocol !== 'TLS' || entry.serverName === undefined) return undefined;
  const { port } = entry.destination;
  const service = view.serviceByHost(entry.serverName, namespace);
  if (service?.ports.some((candidate) => candidate.port === port)) {
    return relayed(servicePort(service, port), 'SniMismatch');
  }
  const isTls = (candidate: ServicePort): boolean => candidate.port === port && candidate.protocol === 'TLS';
  const host = view.meshHostsByName(entry.serverName, namespace).find(({ ports }) => ports.some(isTls));
  return host && relayed(servicePort(host, port), host.addresses.length > 0 ? 'SniMismatch' : host.neverPromoted);
}
