/**
 * Sole owner of what the controller knows: registry, graph, connected clients. Shells bring events in and ask for
 * snapshots and reports; everything in between is the pure core, called synchronously.
 *
 * `entries -> attribute -> graph -> store (durable) -> scope -> snapshot -> dirty clients`
 */

import { LazyscopeError } from './core/error.ts';
import { attributor } from './core/graph/attributor.ts';
import { assertForgettable } from './core/graph/forget.ts';
import { DependencyGraph } from './core/graph/graph.ts';
import { eagerScope } from './core/graph/scope.ts';
import { baseKeys } from './core/istio/registry-view.ts';
import type { IstioSettings } from './core/istio/settings.ts';
import { isHeldByAll, type MeshClient, MeshClients } from './core/mesh-clients.ts';
import type { MeshObject } from './core/mesh-object.ts';
import type {
  AccessLogEntry,
  DependencyState,
  Mode,
  NodeIdentity,
  Scope,
  ServiceKey,
  Snapshot,
  Timestamp,
  WorkloadKey,
} from './core/model.ts';
import type {
  AccessLogSink,
  ClientStatus,
  DirtyClients,
  HeldResources,
  MeshEvent,
  MeshSink,
  Problem,
  SnapshotSource,
  Store,
} from './core/ports.ts';
import { Registry, type RegistryChanges } from './core/registry/registry.ts';
import type { ReadinessCheck, ReadModel } from './core/report.ts';
import { ProblemLog } from './core/reporting/problem-log.ts';
import { readModel } from './core/reporting/read-model.ts';
import type { SnapshotBuilder } from './core/snapshot/snapshot.ts';
import { Dirt } from './dirt.ts';
import { IstioPublishing } from './istio-publishing.ts';
import { Learning, type LearningCounts } from './learning.ts';
import { Persistence } from './persistence.ts';
import { Seeds } from './seeds.ts';

/** Changed counters are saved this often; new edges are saved at once. */
const COUNTERS_SAVED_EVERY_MS = 10_000;
/** Fewer Services than this may go at once without a remark. */
const FEW_SERVICES = 10;
/** A store younger than this may know less than the sidecars that reconnect: what they hold are seeds. */
const SEEDING_MS = 24 * 3_600_000;

export interface PipelineOptions {
  readonly store: Store;
  readonly snapshots: SnapshotBuilder;
  readonly defaultMode: Mode;
  readonly now: () => Timestamp;
  /** Called for every problem that is named to operators. */
  readonly onProblem: (problem: Problem) => void;
  /** Istio mode: publish scopes as Sidecars. */
  readonly istio?: IstioSettings;
}

export class Pipeline implements MeshSink, AccessLogSink, SnapshotSource {
  /** Answers from the state as it stands when asked. */
  readonly reports: ReadModel;
  /** Istio mode's way out. */
  readonly publishing: IstioPublishing | undefined;
  readonly #options: PipelineOptions;
  readonly #registry: Registry;
  readonly #graph = new DependencyGraph();
  readonly #clients = new MeshClients();
  readonly #learning: Learning;
  readonly #seeds: Seeds;
  readonly #problems: ProblemLog;
  readonly #dirt = new Dirt();
  readonly #persistence: Persistence;
  #statuses: () => readonly ClientStatus[] = () => [];
  #timer: NodeJS.Timeout | undefined;
  #storeCreatedAt: Timestamp | undefined;
  #syncedAt: Timestamp | undefined;

  constructor(options: PipelineOptions) {
    this.#options = options;
    const dialect = options.istio ? 'istio' : 'direct';
    this.#registry = new Registry({ defaultMode: options.defaultMode, dialect });
    this.#problems = new ProblemLog(options.onProblem);
    this.reports = readModel(() => ({
      registry: this.#registry,
      graph: this.#graph,
      problems: this.#problems,
      clients: this.#statuses(),
      publication: (workload) => this.publishing?.status(workload),
      now: options.now(),
    }));
    this.#persistence = new Persistence({
      store: options.store,
      read: (key) => this.#graph.get(key),
      keys: () => this.#graph.keys(),
      settled: (keys) => this.#publish(keys),
      problem: (problem) => this.problem(problem),
    });
    this.#learning = new Learning({
      graph: this.#graph,
      attribute: attributor(this.#registry, dialect),
      isReady: () => this.isReady,
      news: (key) => this.#persistence.add(key),
      touched: (key) => this.#persistence.touch(key),
      problem: (problem) => this.problem(problem),
      now: options.now,
    });
    this.#seeds = new Seeds({
      registry: this.#registry,
      graph: this.#graph,
      seeded: (key, workload) => {
        this.#persistence.add(key);
        this.#dirt.workload(workload);
      },
      portKept: () => this.#dirt.all(),
      problem: (problem) => this.problem(problem),
    });
    this.publishing = options.istio && this.#istioPublishing(options.istio);
  }

  #istioPublishing(settings: IstioSettings): IstioPublishing {
    return new IstioPublishing({
      settings,
      registry: this.#registry,
      graph: this.#graph,
      touched: (keys) => {
        for (const key of keys) this.#persistence.touch(key);
      },
      problem: (problem) => this.problem(problem),
      now: this.#options.now,
    });
  }

  get counts(): LearningCounts {
    return this.#learning.counts;
  }

  /** Loads the graph. Nothing is served before this and {@link synced}. */
  async start(): Promise<void> {
    const { dependencies, createdAt } = await this.#options.store.load(this.#options.now());
    for (const dependency of dependencies) this.#graph.put(dependency);
    // What was saved but not yet published when the last controller died is published now.
    this.#publish(this.#graph.keys());
    this.#storeCreatedAt = createdAt;
    this.#becomeReady();
    this.#timer = setInterval(() => this.#housekeeping(), COUNTERS_SAVED_EVERY_MS).unref();
    this.#dirt.all();
  }

  /** Saves what is not saved yet and closes the store. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#persistence.close();
  }

  /** Registry and graph are complete: only then may anything be said to a client. */
  get isReady(): boolean {
    return this.#storeCreatedAt !== undefined && this.#syncedAt !== undefined;
  }

  /** Where the reports get each client's standing from: the ADS shell, which is made after the pipeline. */
  reportClients(statuses: () => readonly ClientStatus[]): void {
    this.#statuses = statuses;
  }

  readiness(): readonly ReadinessCheck[] {
    const { failure } = this.#persistence;
    return [
      {
        name: 'source',
        ok: this.#syncedAt !== undefined,
        detail: this.#syncedAt ? 'synced' : 'not read completely yet',
      },
      { name: 'graph', ok: this.#storeCreatedAt !== undefined, detail: `${this.#graph.size} edges` },
      { name: 'store', ok: true, degraded: failure !== undefined, detail: failure ?? 'saving' },
      ...(this.publishing?.checks() ?? []),
    ];
  }

  get problemsTotal(): number {
    return this.#problems.total;
  }

  /** How often each limit of what is kept was reached. */
  get limitsReached(): Readonly<Record<string, number>> {
    return { ...this.counts.limits, ...this.#seeds.limits, ProblemsLogged: this.#problems.untold };
  }

  edgeCounts(): Map<DependencyState, number> {
    const counts = new Map<DependencyState, number>();
    for (const { state } of this.#graph.all()) counts.set(state, (counts.get(state) ?? 0) + 1);
    return counts;
  }

  /**
   * Takes a service out of a workload's scope; its next use learns it again.
   * @returns how many dependencies leave
   * @throws LazyscopeError `NotFound`, or `InvalidConfiguration` where connections would be cut
   */
  forget(workload: WorkloadKey, service: ServiceKey): number {
    const ports = this.#registry.portsOf(service);
    assertForgettable(service, ports, this.publishing !== undefined);
    const keys = this.#graph.cool(workload, service, this.#options.now());
    if (keys.length === 0) throw new LazyscopeError('NotFound', `${service} is not in the scope of ${workload}.`);
    for (const key of keys) this.#persistence.touch(key);
    this.publishing?.forgot(workload);
    return keys.length;
  }

  // --- MeshSink

  events(batch: readonly MeshEvent[]): void {
    this.#warnOfMassDeletion(batch);
    const changes = this.#registry.apply(batch);
    this.#identifyClients(changes.everybody ? this.#clients.all() : this.#clients.ofPods(changes.pods));
    this.#soil(changes);
    this.publishing?.registryChanged(changes);
    if (changes.pods.length > 0) this.#learning.retry();
  }

  /** The source has looked twice, so it is obeyed; but a failed sync or a wrong mount looks just like this. */
  #warnOfMassDeletion(batch: readonly MeshEvent[]): void {
    const before = this.#registry.services.size;
    const deleted = batch.filter((event) => event.type === 'Deleted' && event.ref.kind === 'Service').length;
    if (deleted < FEW_SERVICES || deleted <= before / 10) return;
    const reason = `removed ${deleted} of ${before} Services at once; if they still exist, give it its files back`;
    this.problem({ subject: 'source', reason });
  }

  synced(at: Timestamp): void {
    this.#syncedAt ??= at;
    this.#becomeReady();
    this.#dirt.all();
  }

  /** Graph and mesh are loaded, in whichever order. */
  #becomeReady(): void {
    if (!this.isReady) return;
    this.#identifyClients(this.#clients.all());
    this.#learning.retry();
    const { istio } = this.#options;
    if (!this.publishing || !istio) return;
    const now = this.#options.now();
    if (this.#isYoung(now)) this.#seeds.sidecars(baseKeys(this.#registry, istio), now);
    this.publishing.begin(this.#egresses());
  }

  unreadable(kinds: ReadonlySet<MeshObject['kind']>): void {
    this.publishing?.unreadable(kinds);
  }

  problem(problem: Problem): void {
    this.#problems.add(problem, this.#options.now());
  }

  // --- AccessLogSink

  accessLogs(entries: readonly AccessLogEntry[], receivedAt: Timestamp): void {
    this.#learning.take(entries, receivedAt);
  }

  /** Only what lazy sidecars bring hurts anybody, and only they may take everybody back to eager. */
  egressRefused(_reporter: string, connections: ReadonlyMap<string, number>, at: Timestamp): void {
    let hurting = 0;
    for (const [source, count] of connections) {
      const workload = this.#registry.workloads.ownerAt(source, at)?.workload;
      if (workload && this.publishing?.status(workload)?.published) hurting += count;
    }
    if (hurting > 0) this.publishing?.egressRefused(hurting);
  }

  // --- SnapshotSource

  *streamsOf(dirty: DirtyClients): Iterable<number> {
    for (const { stream } of this.#clients.concernedBy(dirty)) yield stream;
  }

  snapshot(node: NodeIdentity): Snapshot | undefined {
    if (!this.isReady) return undefined;
    if (node.kind === 'egress') return this.#options.snapshots.relayTable(this.#registry);
    const scope = this.#scopeOf(node);
    return scope && this.#options.snapshots.sidecar(this.#registry, scope, node.namespace);
  }

  #scopeOf(node: NodeIdentity): Scope | undefined {
    const { workloads } = this.#registry;
    const known = workloads.podOf(node);
    if (!known) return undefined;
    return workloads.isLazy(known) ? this.#graph.scope(known.workload) : eagerScope(known.workload);
  }

  onDirty(listener: (dirty: DirtyClients) => void): void {
    this.#dirt.onDirty(listener);
  }

  clientConnected(node: NodeIdentity, stream: number, held: HeldResources, at: Timestamp): void {
    const client: MeshClient = { node, stream, held, warmed: new Set(), workload: undefined };
    this.#clients.connect(client);
    if (node.kind === 'sidecar') this.#identify(client, at);
    else this.publishing?.egressesConnected(this.#egresses());
  }

  clientWarmed(_node: NodeIdentity, stream: number, clusters: ReadonlySet<string>, at: Timestamp): void {
    const client = this.#clients.get(stream);
    if (!client) return;
    client.warmed = clusters;
    if (client.workload !== undefined) this.#confirm(client.workload, at);
  }

  clientDisconnected(_node: NodeIdentity, stream: number, at: Timestamp): void {
    const client = this.#clients.disconnect(stream);
    if (client?.node.kind === 'egress') this.publishing?.egressesConnected(this.#egresses());
    if (client?.workload !== undefined) this.#confirm(client.workload, at);
  }

  /** Addresses of the egresses that are connected. */
  #egresses(): ReadonlySet<string> {
    return new Set([...this.#clients.egresses()].map(({ node }) => node.address));
  }

  /** Istio mode confirms by what was written, see {@link IstioPublishing}. */
  #confirm(workload: WorkloadKey, at: Timestamp): void {
    if (this.publishing) return;
    const clients = this.#clients.ofWorkload(workload);
    for (const key of this.#graph.confirm(workload, (port) => isHeldByAll(clients, port), at)) {
      this.#persistence.touch(key);
    }
  }

  #identifyClients(clients: Iterable<MeshClient>): void {
    const now = this.#options.now();
    for (const client of clients) if (client.node.kind === 'sidecar') this.#identify(client, now);
  }

  /** Finds out whose sidecar it is; the first time, takes what it held as seeds. */
  #identify(client: MeshClient, at: Timestamp): void {
    const { workloads } = this.#registry;
    const known = workloads.podOf(client.node);
    this.#clients.identify(client, known?.workload, known !== undefined && !workloads.isLazy(known));
    const { held, workload } = client;
    if (workload === undefined || held === undefined || !this.isReady) return;
    client.held = undefined;
    this.#seeds.listeners(held);
    if (this.#isYoung(at) && this.#scopeOf(client.node)?.kind === 'Lazy') this.#seeds.clusters(workload, held, at);
  }

  #isYoung(at: Timestamp): boolean {
    return at - (this.#storeCreatedAt ?? at) < SEEDING_MS;
  }

  // --- publication

  /** These edges are durable: they enter the scopes. */
  #publish(keys: Iterable<string>): void {
    const now = this.#options.now();
    for (const workload of this.#graph.promote(keys, now)) {
      this.#dirt.workload(workload);
      this.publishing?.graphChanged([workload]);
      // Sidecars that hold the cluster already (for another protocol, or as they get everything) are sent nothing that
      // they could acknowledge.
      this.#confirm(workload, now);
    }
  }

  #soil(changes: RegistryChanges): void {
    if (changes.everybody) this.#dirt.all();
    if (changes.identities.size > 0) this.#dirt.egress();
    for (const pod of changes.pods) this.#dirt.workload(this.#registry.workloads.workloadOf(pod));
    if (changes.services.size === 0) return;
    this.#dirt.egress();
    for (const service of changes.services) {
      for (const workload of this.#graph.usersOf(service)) this.#dirt.workload(workload);
    }
    for (const { workload } of this.#clients.eager()) if (workload !== undefined) this.#dirt.workload(workload);
  }

  #housekeeping(): void {
    this.#learning.retry();
    this.#registry.workloads.addresses.prune(this.#options.now());
    void this.#persistence.flush();
  }
}
