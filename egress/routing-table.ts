import { isHttp, type SocketAddress } from '../controller/core/model.ts';
import type { RelayTarget } from '../controller/core/relay-target.ts';
import { canonicalAddress } from './address.ts';

/** What routing asks of the table. */
export interface RoutingView {
  /** The service port whose ClusterIP and port this is. */
  byAddress(destination: SocketAddress): TableEntry | undefined;
  /** The service port that a Host header or TLS server name means, whatever its case; a port in it is ignored. */
  byHost(host: string, port: number): TableEntry | undefined;
  /** Whether any service declares HTTP on this port number. */
  isHttpPort(port: number): boolean;
}

/** One service port. */
export interface TableEntry {
  readonly target: RelayTarget;
  /** Its ready endpoints; `undefined` while they have never been told. */
  readonly endpoints: readonly SocketAddress[] | undefined;
}

interface MutableEntry extends TableEntry {
  endpoints: readonly SocketAddress[] | undefined;
}

/** Services, by every way in which a connection can name one. Kept in step by cluster name. */
export class RoutingTable implements RoutingView {
  readonly #entries = new Map<string, MutableEntry>();
  /** Keys are `address:port` and `host:port`. Two services may claim one: the first does, the other when it goes. */
  readonly #byName = new Map<string, MutableEntry[]>();
  /** How many entries declare HTTP on a port number. */
  readonly #httpPorts = new Map<number, number>();

  /** Number of service ports. */
  get size(): number {
    return this.#entries.size;
  }

  byAddress({ address, port }: SocketAddress): TableEntry | undefined {
    return this.#byName.get(`${address} ${port}`)?.[0];
  }

  byHost(host: string, port: number): TableEntry | undefined {
    const end = host.search(/\.?(:\d*)?$/);
    return this.#byName.get(`${host.slice(0, end).toLowerCase()} ${port}`)?.[0];
  }

  isHttpPort(port: number): boolean {
    return this.#httpPorts.has(port);
  }

  /** Whether the endpoints of every service port that has any were told. */
  get isComplete(): boolean {
    return this.clustersWithEndpoints().every((cluster) => this.#entries.get(cluster)?.endpoints !== undefined);
  }

  /** Names of the clusters whose endpoints are to be asked for: not those of headless services. */
  clustersWithEndpoints(): readonly string[] {
    return [...this.#entries].filter(([, { target }]) => !target.headless).map(([cluster]) => cluster);
  }

  /** Adds or replaces a service port; its endpoints stay. */
  set(cluster: string, target: RelayTarget): void {
    const endpoints = this.#entries.get(cluster)?.endpoints;
    this.delete(cluster);
    const entry: MutableEntry = { target, endpoints };
    this.#entries.set(cluster, entry);
    for (const name of namesOf(target)) {
      const claimants = this.#byName.get(name);
      if (claimants) claimants.push(entry);
      else this.#byName.set(name, [entry]);
    }
    if (isHttp(target.protocol)) this.#countHttpPort(target.port, 1);
  }

  /** Sets the ready endpoints of a service port; a cluster that is not in the table has none. */
  setEndpoints(cluster: string, endpoints: readonly SocketAddress[]): void {
    const entry = this.#entries.get(cluster);
    if (entry) entry.endpoints = endpoints;
  }

  delete(cluster: string): void {
    const entry = this.#entries.get(cluster);
    if (!entry) return;
    this.#entries.delete(cluster);
    for (const name of namesOf(entry.target)) {
      const others = (this.#byName.get(name) ?? []).filter((claimant) => claimant !== entry);
      if (others.length > 0) this.#byName.set(name, others);
      else this.#byName.delete(name);
    }
    if (isHttp(entry.target.protocol)) this.#countHttpPort(entry.target.port, -1);
  }

  #countHttpPort(port: number, change: number): void {
    const count = (this.#httpPorts.get(port) ?? 0) + change;
    if (count > 0) this.#httpPorts.set(port, count);
    else this.#httpPorts.delete(port);
  }
}

function namesOf({ clusterIPs, hosts, port }: RelayTarget): readonly string[] {
  return [...clusterIPs.map(canonicalAddress), ...hosts].map((name) => `${name} ${port}`);
}
