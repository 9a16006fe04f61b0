import { addressesOf } from '../addresses.ts';
import {
  type Endpoint,
  type EndpointSlice,
  isHttp,
  type Service,
  type ServiceKey,
  type ServicePort,
} from '../model.ts';
import { endpointsOf } from './endpoint-text.ts';
import { NameTable } from './name-table.ts';
import { addTo, removeFrom } from './set-map.ts';
import { SliceIndex } from './slice-index.ts';

const NO_ENDPOINTS: readonly Endpoint[] = [];

/** `namespace/host`. Joined, as V8 keeps the parts of other concatenations beside their whole. */
export function serviceKey(service: Pick<Service, 'namespace' | 'host'>): ServiceKey {
  return [service.namespace, service.host].join('/');
}

/** A port of a headless service. */
export interface HeadlessPort {
  readonly service: Service;
  readonly port: ServicePort;
}

/** Services, their names, addresses and endpoints. */
export class ServiceIndex {
  /** By key. Read-only outside. */
  readonly services = new Map<ServiceKey, Service>();
  /** Every port number ever declared HTTP: grows only, since removing a listener drains its connections. */
  readonly httpPorts = new Set<number>();
  readonly #byName = new NameTable<ServiceKey>();
  readonly #byClusterIP = new Map<string, ServiceKey>();
  readonly #slices = new SliceIndex();
  readonly #endpoints = new NameTable<Map<number, readonly Endpoint[]>>();
  readonly #headlessByAddress = new Map<string, Set<ServiceKey>>();
  /** The same the other way round: what is to be taken out when a service goes or its pods change. */
  readonly #addressesOfHeadless = new Map<ServiceKey, ReadonlySet<string>>();

  apply(service: Service): void {
    this.delete(service.namespace, service.name);
    const key = serviceKey(service);
    this.services.set(key, service);
    this.#byName.set(service.namespace, service.name, key);
    for (const address of addressesOf(service.clusterIPs)) this.#byClusterIP.set(address, key);
    for (const { port, protocol } of service.ports) if (isHttp(protocol)) this.httpPorts.add(port);
    this.#indexHeadless(service);
  }

  delete(namespace: string, name: string): Service | undefined {
    const key = this.#byName.get(namespace, name);
    const service = key === undefined ? undefined : this.services.get(key);
    if (key === undefined || !service) return undefined;
    this.services.delete(key);
    this.#byName.delete(namespace, name);
    for (const address of addressesOf(service.clusterIPs)) {
      if (this.#byClusterIP.get(address) === key) this.#byClusterIP.delete(address);
    }
    this.#forgetEndpoints(namespace, name);
    this.#standBehind(key, new Set());
    return service;
  }

  /** @returns the names of the Services whose endpoints may differ now: two where the slice moved */
  applySlice(slice: EndpointSlice): readonly string[] {
    const services = this.#slices.apply(slice);
    for (const service of services) this.#slicesChanged(slice.namespace, service);
    return services;
  }

  /** @returns the name of the Service whose slice it was */
  deleteSlice(namespace: string, name: string): string | undefined {
    const service = this.#slices.delete(namespace, name);
    if (service !== undefined) this.#slicesChanged(namespace, service);
    return service;
  }

  /** Endpoints of a service port in stable order; the same array until they change. */
  endpoints(key: ServiceKey, port: number): readonly Endpoint[] {
    const service = this.services.get(key);
    const servicePort = service?.ports.find((candidate) => candidate.port === port);
    if (!service || !servicePort) return NO_ENDPOINTS;
    const { namespace, name } = service;
    const known = this.#endpoints.get(namespace, name);
    const endpoints = known?.get(port) ?? this.#collect(service, servicePort);
    if (known === undefined) this.#endpoints.set(namespace, name, new Map([[port, endpoints]]));
    else if (!known.has(port)) known.set(port, endpoints);
    return endpoints;
  }

  byName(namespace: string, name: string): ServiceKey | undefined {
    return this.#byName.get(namespace, name);
  }

  byClusterIP(address: string): Service | undefined {
    const key = this.#byClusterIP.get(address);
    return key === undefined ? undefined : this.services.get(key);
  }

  /** Headless services with a port of this number behind which the address stands. */
  headlessByEndpoint(address: string, port: number): Service | undefined {
    for (const key of this.#headlessByAddress.get(address) ?? []) {
      const service = this.services.get(key);
      const isEndpoint = this.endpoints(key, port).some((e) => e.address === address && e.port === port);
      if (service && isEndpoint) return service;
    }
    return undefined;
  }

  /** Ports of headless services behind which the address stands with this port, by the services' keys. */
  headlessPorts(address: string, port: number): HeadlessPort[] {
    const keys = [...(this.#headlessByAddress.get(address) ?? [])].sort();
    return keys.flatMap((key) => {
      const service = this.services.get(key);
      if (!service) return [];
      const isBehind = (candidate: ServicePort): boolean =>
        this.endpoints(key, candidate.port).some((e) => e.address === address && e.port === port);
      return service.ports.filter(isBehind).map((found) => ({ service, port: found }));
    });
  }

  /** Whether a service of any namespace has this host. */
  hasHost(host: string): boolean {
    const [name = '', namespace = ''] = host.split('.');
    const key = this.#byName.get(namespace, name);
    return key !== undefined && this.services.get(key)?.host === host;
  }

  /**
   * The service that a host name means to a client of a namespace: FQDN with or without final dot, `svc.ns.svc`,
   * `svc.ns`, `svc` in the own namespace; for headless services also the names of their pods.
   * @param host without port, any case
   */
  byHost(host: string, namespace: string): Service | undefined {
    const lowerCase = host.toLowerCase();
    const name = lowerCase.endsWith('.') ? lowerCase.slice(0, -1) : lowerCase;
    const named = this.#named(name, namespace);
    if (named) return named;
    const ofPod = this.#named(name.slice(endOfLabel(name, 0) + 1), namespace);
    return ofPod?.headless ? ofPod : undefined;
  }

  /** Labels are cut out one by one, as this is asked for every entry of an access log. */
  #named(host: string, namespace: string): Service | undefined {
    const nameEnd = endOfLabel(host, 0);
    if (nameEnd === 0) return undefined;
    const namespaceEnd = endOfLabel(host, nameEnd + 1);
    const ownNamespace = nameEnd === host.length ? namespace : host.slice(nameEnd + 1, namespaceEnd);
    const key = this.#byName.get(ownNamespace, host.slice(0, nameEnd));
    const service = key === undefined ? undefined : this.services.get(key);
    if (!service) return undefined;
    const rest = host.slice(namespaceEnd);
    return rest === '' || rest === '.svc' || service.host === host ? service : undefined;
  }

  #collect({ namespace, name }: Service, port: ServicePort): readonly Endpoint[] {
    const found = new Map<string, Endpoint>();
    for (const slice of this.#slices.of(namespace, name)) {
      const target = slice.ports.find((candidate) => candidate.name === port.name)?.port;
      if (target === undefined) continue;
      for (const { address, ready } of endpointsOf(slice.endpoints)) {
        found.set(`${address} ${target}`, { address, port: target, ready });
      }
    }
    return [...found.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
  }

  #slicesChanged(namespace: string, serviceName: string): void {
    this.#forgetEndpoints(namespace, serviceName);
    const key = this.#byName.get(namespace, serviceName);
    const service = key === undefined ? undefined : this.services.get(key);
    if (service) this.#indexHeadless(service);
  }

  #forgetEndpoints(namespace: string, name: string): void {
    this.#endpoints.delete(namespace, name);
  }

  #indexHeadless(service: Service): void {
    if (!service.headless) return;
    const key = serviceKey(service);
    const endpoints = service.ports.flatMap(({ port }) => this.endpoints(key, port));
    this.#standBehind(key, new Set(endpoints.map(({ address }) => address)));
  }

  /** These addresses, and no others, stand behind a headless service. */
  #standBehind(key: ServiceKey, addresses: ReadonlySet<string>): void {
    for (const address of this.#addressesOfHeadless.get(key) ?? []) {
      if (!addresses.has(address)) removeFrom(this.#headlessByAddress, address, key);
    }
    for (const address of addresses) addTo(this.#headlessByAddress, address, key);
    if (addresses.size > 0) this.#addressesOfHeadless.set(key, addresses);
    else this.#addressesOfHeadless.delete(key);
  }
}

/** Where the label that begins here ends. */
function endOfLabel(host: string, start: number): number {
  const end = host.indexOf('.', start);
  return end < 0 ? host.length : end;
}
