import type { Dependency, Scope, ScopedPort, ServiceKey, Timestamp, WorkloadKey } from '../model.ts';
import {
  confirmed,
  cooled,
  dependencyKey,
  expired,
  firstObserved,
  isPublished,
  type Observation,
  observedAgain,
  promoted,
} from './dependency.ts';
import { scopeOf } from './scope.ts';

/**
 * Addresses that no service stands for, per workload: they cost memory and are never promoted, and a client that scans
 * could make any number of them.
 */
const MAX_RELAYED_ADDRESSES = 1_000;
/** Dependencies in all: about 500 MB. Workloads whose names are never the same could make any number of them. */
const MAX_DEPENDENCIES = 500_000;
/** What of them may be relayed addresses: as nothing is made of these, they must not keep services from being learned. */
const SHARE_OF_ADDRESSES = 0.5;

/** What an observation did. */
export type Observed =
  /** A new dependency, or one that became promotable: it must be durable before it is published. */
  | 'News'
  /** Only times and counters moved. */
  | 'Counted'
  /** The workload already has the most relayed addresses that are kept. */
  | 'TooManyAddresses'
  /** All workloads together have the most relayed addresses that are kept. */
  | 'TooManyAddressesInAll'
  /** There are as many dependencies as are kept. */
  | 'TooManyDependencies';

/** The dependency graph: who uses what. Owned and changed by the pipeline only. Nothing is ever removed from it here. */
export class DependencyGraph {
  readonly #dependencies = new Map<string, Dependency>();
  readonly #bySource = new Map<WorkloadKey, Map<string, Dependency>>();
  readonly #usersByService = new Map<ServiceKey, Set<WorkloadKey>>();
  readonly #addressesBySource = new Map<WorkloadKey, number>();
  #addresses = 0;
  readonly #scopes = new Map<WorkloadKey, Scope>();
  readonly #maxDependencies: number;

  constructor(maxDependencies = MAX_DEPENDENCIES) {
    this.#maxDependencies = maxDependencies;
  }

  /** Whether a dependency that is not known yet may be put in. What a store held is put in all the same. */
  get hasRoom(): boolean {
    return this.#dependencies.size < this.#maxDependencies;
  }

  /** Relayed addresses of all workloads. */
  get addresses(): number {
    return this.#addresses;
  }

  /** Puts a dependency in, as a store or a seed has it. @returns its key */
  put(dependency: Dependency): string {
    const key = dependencyKey(dependency);
    this.#replace(key, this.#dependencies.get(key), dependency);
    return key;
  }

  #replace(key: string, before: Dependency | undefined, dependency: Dependency): void {
    const { source, destination } = dependency;
    this.#dependencies.set(key, dependency);
    const ofSource = this.#bySource.get(source);
    if (ofSource) ofSource.set(key, dependency);
    else this.#bySource.set(source, new Map([[key, dependency]]));
    if (before?.state !== dependency.state) this.#scopes.delete(source);
    if (before) return;
    if (destination.kind === 'Address') {
      this.#addresses += 1;
      this.#addressesBySource.set(source, (this.#addressesBySource.get(source) ?? 0) + 1);
      return;
    }
    const users = this.#usersByService.get(destination.service) ?? new Set<WorkloadKey>();
    this.#usersByService.set(destination.service, users.add(source));
  }

  observe(observation: Observation): { readonly result: Observed; readonly key: string } {
    const key = dependencyKey({ ...observation, protocol: observation.entry.protocol });
    const before = this.#dependencies.get(key);
    const refusal = before ? undefined : this.#refusalOf(observation);
    if (refusal) return { result: refusal, key };
    const after = before ? observedAgain(before, observation) : firstObserved(observation);
    this.#replace(key, before, after);
    return { result: before?.state === after.state ? 'Counted' : 'News', key };
  }

  /** Publishes what has become durable. @returns the workloads whose scope grew */
  promote(keys: Iterable<string>, at: Timestamp): Set<WorkloadKey> {
    const grown = new Set<WorkloadKey>();
    for (const key of keys) {
      const before = this.#dependencies.get(key);
      if (before?.state !== 'observed') continue;
      this.put(promoted(before, at));
      grown.add(before.source);
    }
    return grown;
  }

  /**
   * Marks a workload's warming dependencies that all its sidecars hold.
   * @returns keys of those that became active
   */
  confirm(workload: WorkloadKey, isHeld: (port: ScopedPort) => boolean, at: Timestamp): string[] {
    const keys: string[] = [];
    for (const [key, dependency] of this.#bySource.get(workload) ?? []) {
      if (dependency.state !== 'warming' || dependency.destination.kind !== 'Service') continue;
      if (!isHeld(dependency.destination)) continue;
      this.put(confirmed(dependency, at));
      keys.push(key);
    }
    return keys;
  }

  /**
   * Takes a service out of a workload's scope.
   * @returns keys of the dependencies that leave
   */
  cool(workload: WorkloadKey, service: ServiceKey, at: Timestamp): string[] {
    return this.#move(
      workload,
      (dependency) => cooled(dependency, at),
      (destination) => destination.service === service,
    );
  }

  /** Ends the dependencies on their way out that the sidecars hold no more. @returns their keys */
  expire(workload: WorkloadKey, isHeld: (port: ScopedPort) => boolean): string[] {
    return this.#move(workload, expired, (destination) => !isHeld(destination));
  }

  #move(
    workload: WorkloadKey,
    step: (dependency: Dependency) => Dependency,
    concerns: (destination: ScopedPort) => boolean,
  ): string[] {
    const keys: string[] = [];
    for (const [key, dependency] of this.#bySource.get(workload) ?? []) {
      if (dependency.destination.kind !== 'Service' || !concerns(dependency.destination)) continue;
      const after = step(dependency);
      if (after === dependency) continue;
      this.put(after);
      keys.push(key);
    }
    return keys;
  }

  /** Services that a workload is known to have used, whatever became of it. */
  *knownServicesOf(workload: WorkloadKey): Generator<ServiceKey> {
    for (const { destination } of this.of(workload)) if (destination.kind === 'Service') yield destination.service;
  }

  /** Services that a workload's published dependencies lead to. */
  *servicesOf(workload: WorkloadKey): Generator<ServiceKey> {
    for (const dependency of this.of(workload)) {
      const { destination } = dependency;
      if (destination.kind === 'Service' && isPublished(dependency)) yield destination.service;
    }
  }

  get(key: string): Dependency | undefined {
    return this.#dependencies.get(key);
  }

  all(): Iterable<Dependency> {
    return this.#dependencies.values();
  }

  keys(): Iterable<string> {
    return this.#dependencies.keys();
  }

  get size(): number {
    return this.#dependencies.size;
  }

  sources(): Iterable<WorkloadKey> {
    return this.#bySource.keys();
  }

  of(workload: WorkloadKey): Iterable<Dependency> {
    return this.#bySource.get(workload)?.values() ?? [];
  }

  /** Workloads with a dependency on the service, published or not. */
  usersOf(service: ServiceKey): Iterable<WorkloadKey> {
    return this.#usersByService.get(service) ?? [];
  }

  /** Whether anything published leads to this port, whatever its protocol. */
  isPublished(workload: WorkloadKey, port: ScopedPort): boolean {
    for (const dependency of this.of(workload)) {
      const { destination } = dependency;
      if (destination.kind !== 'Service' || destination.service !== port.service) continue;
      if (destination.port === port.port && isPublished(dependency)) return true;
    }
    return false;
  }

  /** The lazy scope of a workload; the same value until it changes. */
  scope(workload: WorkloadKey): Scope {
    const known = this.#scopes.get(workload);
    if (known) return known;
    const scope = scopeOf(workload, this.of(workload));
    this.#scopes.set(workload, scope);
    return scope;
  }

  #refusalOf({ source, destination }: Observation): Observed | undefined {
    if (destination.kind === 'Address') {
      if ((this.#addressesBySource.get(source) ?? 0) >= MAX_RELAYED_ADDRESSES) return 'TooManyAddresses';
      if (this.#addresses >= this.#maxDependencies * SHARE_OF_ADDRESSES) return 'TooManyAddressesInAll';
    }
    return this.hasRoom ? undefined : 'TooManyDependencies';
  }
}
