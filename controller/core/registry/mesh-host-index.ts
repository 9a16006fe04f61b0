import type { ServiceEntry, VirtualService } from '../mesh-policy.ts';
import type { ServiceKey } from '../model.ts';
import { AddressRanges } from './address-ranges.ts';
import { HostTable, hostPatterns } from './host-table.ts';
import { isVisible, type MeshHost, serviceEntryHost, virtualServiceHost } from './mesh-host.ts';
import { addTo, removeFrom } from './set-map.ts';

/** How an address leads to a host: as its own, as one that istiod allocated, or through a block of addresses. */
export interface AddressedHost {
  readonly host: MeshHost;
  readonly by: 'Address' | 'Allocated' | 'Range';
}

/** Hosts of ServiceEntries and VirtualServices, their names and addresses. */
export class MeshHostIndex {
  readonly #entries = new HostTable<ServiceEntry>();
  readonly #virtualServices = new HostTable<VirtualService>();
  readonly #ofEntries = new Map<ServiceKey, MeshHost>();
  readonly #ofVirtualServices = new Map<ServiceKey, MeshHost>();
  readonly #namesakes = new Map<string, Set<ServiceKey>>();
  readonly #byAddress = new Map<string, Set<ServiceKey>>();
  readonly #ranges = new AddressRanges<ServiceKey>();
  readonly #isService: (host: string) => boolean;
  #hosts: ReadonlyMap<ServiceKey, MeshHost> | undefined;

  /** @param isService whether a Kubernetes Service has this host: a VirtualService for it makes no host of its own */
  constructor(isService: (host: string) => boolean) {
    this.#isService = isService;
  }

  /** Every host that counts now. */
  get hosts(): ReadonlyMap<ServiceKey, MeshHost> {
    this.#hosts ??= new Map([...this.#virtualHosts(), ...this.#ofEntries]);
    return this.#hosts;
  }

  *#virtualHosts(): Iterable<[ServiceKey, MeshHost]> {
    for (const [key, host] of this.#ofVirtualServices) if (this.#counts(host)) yield [key, host];
  }

  /** A host, if it counts now. */
  get(key: ServiceKey): MeshHost | undefined {
    const made = this.#ofVirtualServices.get(key);
    return this.#ofEntries.get(key) ?? (made && this.#counts(made) ? made : undefined);
  }

  /** A VirtualService gives routes to what exactly its host names; only where there is nothing it makes a host. */
  #counts({ host }: MeshHost): boolean {
    return !this.#isService(host) && [...this.#entries.withHost(host)].length === 0;
  }

  entry(namespace: string, name: string): ServiceEntry | undefined {
    return this.#entries.get(namespace, name);
  }

  /** @returns keys of the hosts that may differ now */
  applyEntry(entry: ServiceEntry): readonly ServiceKey[] {
    const before = this.#entries.apply(entry);
    return this.#entryChanged(entry.namespace, [...(before?.hosts ?? []), ...entry.hosts]);
  }

  deleteEntry(namespace: string, name: string): readonly ServiceKey[] {
    return this.#entryChanged(namespace, this.#entries.delete(namespace, name)?.hosts ?? []);
  }

  applyVirtualService(service: VirtualService): readonly ServiceKey[] {
    const before = this.#virtualServices.apply(service);
    return this.#virtualServiceChanged(service.namespace, [...(before?.hosts ?? []), ...service.hosts]);
  }

  deleteVirtualService(namespace: string, name: string): readonly ServiceKey[] {
    return this.#virtualServiceChanged(namespace, this.#virtualServices.delete(namespace, name)?.hosts ?? []);
  }

  /** A Kubernetes Service came or went. @returns keys of the hosts that may count, or no longer count, because of it */
  serviceChanged(host: string): readonly ServiceKey[] {
    const keys = [...(this.#namesakes.get(host) ?? [])].filter((key) => this.#ofVirtualServices.has(key));
    if (keys.length > 0) this.#hosts = undefined;
    return keys;
  }

  #entryChanged(namespace: string, hosts: readonly string[]): readonly ServiceKey[] {
    const keys = [...new Set(hosts)].map((host) => {
      const entries = [...this.#entries.withHost(host)].filter((entry) => entry.namespace === namespace);
      // A bare `*` in a Sidecar would be all of its namespace.
      const after = host === '*' ? undefined : serviceEntryHost(host, entries);
      const key = `${namespace}/${host}`;
      const before = this.#ofEntries.get(key);
      if (before) this.#unindex(before);
      if (after) this.#index(after);
      put(this.#ofEntries, key, after);
      this.#name(key, host);
      return key;
    });
    this.#hosts = undefined;
    return [...new Set([...keys, ...hosts.flatMap((host) => this.serviceChanged(host))])];
  }

  #virtualServiceChanged(namespace: string, hosts: readonly string[]): readonly ServiceKey[] {
    const keys = [...new Set(hosts)].map((host) => {
      const services = [...this.#virtualServices.withHost(host)].filter((one) => one.namespace === namespace);
      const key = `${namespace}/${host}`;
      put(this.#ofVirtualServices, key, virtualServiceHost(host, services));
      this.#name(key, host);
      return key;
    });
    this.#hosts = undefined;
    return keys;
  }

  #name(key: ServiceKey, host: string): void {
    const exists = this.#ofEntries.has(key) || this.#ofVirtualServices.has(key);
    if (exists) addTo(this.#namesakes, host, key);
    else removeFrom(this.#namesakes, host, key);
  }

  #index({ key, addresses, allocated }: MeshHost): void {
    for (const address of [...addresses, ...allocated]) {
      if (address.includes('/')) this.#ranges.add(address, key);
      else addTo(this.#byAddress, address, key);
    }
  }

  #unindex({ key, addresses, allocated }: MeshHost): void {
    for (const address of [...addresses, ...allocated]) {
      if (address.includes('/')) this.#ranges.delete(address, key);
      else removeFrom(this.#byAddress, address, key);
    }
  }

  /**
   * Hosts that a name means to clients of a namespace, most specific first, their own namespace's before others'.
   * @param name without port, any case
   */
  byName(name: string, namespace: string): MeshHost[] {
    const host = name.toLowerCase().replace(/\.$/, '');
    return hostPatterns(host).flatMap((pattern) => this.#visible(this.#namesakes.get(pattern) ?? [], namespace));
  }

  /** Hosts behind an address as clients of a namespace see them: its own before blocks, longer prefixes first. */
  byAddress(address: string, namespace: string): AddressedHost[] {
    const own = this.#visible(this.#byAddress.get(address) ?? [], namespace).map((host): AddressedHost => {
      return { host, by: host.addresses.includes(address) ? 'Address' : 'Allocated' };
    });
    const around = this.#ranges.around(address).flatMap((key) => this.#visible([key], namespace));
    return [...own, ...around.map((host): AddressedHost => ({ host, by: 'Range' }))];
  }

  #visible(keys: Iterable<ServiceKey>, namespace: string): MeshHost[] {
    const hosts = [...keys].flatMap((key) => this.get(key) ?? []).filter((host) => isVisible(host, namespace));
    const rank = (host: MeshHost): string => `${host.namespace === namespace ? 0 : 1}${host.key}`;
    return hosts.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
