/** Hosts that are no Kubernetes Service: those of ServiceEntries, and those that only VirtualServices name. */
import type { ExportTo, ServiceEntry, VirtualService } from '../mesh-policy.ts';
import { isHttp, type RelayReason, type ServiceKey, type ServicePort } from '../model.ts';

export interface MeshHost {
  /** `namespace/host`; wildcards stay as they are. */
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly host: string;
  readonly origin: 'ServiceEntry' | 'VirtualService';
  /** IP addresses and CIDR blocks, in canonical text. */
  readonly addresses: readonly string[];
  /** Addresses that istiod allocated; only clients with DNS capture dial them. */
  readonly allocated: readonly string[];
  readonly ports: readonly ServicePort[];
  /** Why it never enters a scope, if so. */
  readonly neverPromoted?: RelayReason;
  /** Absent: every namespace sees it. */
  readonly exportTo?: ExportTo;
}

/** istiod routes hosts that are no services on this port alone. */
export const VIRTUAL_HOST_PORT = 80;

/** One host of a namespace, of all ServiceEntries there that name it; `undefined` without any. Several are one to istiod. */
export function serviceEntryHost(host: string, entries: readonly ServiceEntry[]): MeshHost | undefined {
  const sorted = [...entries].sort((a, b) => (a.name < b.name ? -1 : 1));
  const [first] = sorted;
  if (!first) return undefined;
  const ports = new Map<number, ServicePort>();
  for (const port of sorted.flatMap((entry) => entry.ports)) if (!ports.has(port.port)) ports.set(port.port, port);
  const allocated = sorted.flatMap((entry) => entry.allocated ?? []).filter((one) => one.host === host);
  return {
    key: `${first.namespace}/${host}`,
    namespace: first.namespace,
    host,
    origin: 'ServiceEntry',
    addresses: [...new Set(sorted.flatMap(({ addresses }) => addresses))],
    allocated: allocated.map(({ address }) => address),
    ports: [...ports.values()],
    ...(sorted.some(capturesPort) ? { neverPromoted: 'CapturesPort' } : {}),
    ...joinedExport(sorted),
  };
}

/**
 * Without an address its listener is `0.0.0.0_<port>`. There HTTP is told apart by Host and TLS by server name; anything
 * else takes every connection on that port, whoever it is for.
 */
function capturesPort({ addresses, ports }: ServiceEntry): boolean {
  return addresses.length === 0 && ports.some(({ protocol }) => protocol === 'TCP' || protocol === 'Auto');
}

/** One host of a namespace that VirtualServices name; `undefined` where none makes it a host of the mesh. */
export function virtualServiceHost(host: string, services: readonly VirtualService[]): MeshHost | undefined {
  const making = services.filter(({ isMesh, routesHttp }) => isMesh && routesHttp);
  const [first] = making;
  if (!first || host.startsWith('*')) return undefined;
  return {
    key: `${first.namespace}/${host}`,
    namespace: first.namespace,
    host,
    origin: 'VirtualService',
    addresses: [],
    allocated: [],
    ports: [{ name: 'http', port: VIRTUAL_HOST_PORT, protocol: 'HTTP' }],
    ...joinedExport(making),
  };
}

function joinedExport(objects: readonly { readonly exportTo?: ExportTo }[]): { readonly exportTo?: ExportTo } {
  const lists = objects.flatMap(({ exportTo }) => (exportTo ? [exportTo] : []));
  return lists.length < objects.length ? {} : { exportTo: [...new Set(lists.flat())] };
}

/** Whether workloads of a namespace see the host. */
export function isVisible({ namespace: own, exportTo }: MeshHost, namespace: string): boolean {
  if (!exportTo) return true;
  return exportTo.includes('*') || exportTo.includes(namespace) || (own === namespace && exportTo.includes('.'));
}

/** Numbers of the ports declared HTTP. */
export function httpPortsOf({ ports }: { readonly ports: readonly ServicePort[] }): number[] {
  return ports.filter(({ protocol }) => isHttp(protocol)).map(({ port }) => port);
}
