/** Istio mode's part of the pipeline: turns what registry and graph say into Sidecars, and what is written into states. */
import { LazyscopeError, reasonOf } from './core/error.ts';
import type { DependencyGraph } from './core/graph/graph.ts';
import { eventOf } from './core/istio/announcement.ts';
import { externalDirectCheck, externalDirectEvent } from './core/istio/external-direct-report.ts';
import { type MeshChange, MeshPublication } from './core/istio/mesh-publication.ts';
import type { PublicationStatus } from './core/istio/publication.ts';
import { registryView } from './core/istio/registry-view.ts';
import type { IstioSettings } from './core/istio/settings.ts';
import { UnreadableKinds } from './core/istio/unreadable-kinds.ts';
import type { MeshObject } from './core/mesh-object.ts';
import type { SocketAddress, Timestamp, WorkloadKey } from './core/model.ts';
import type { Problem } from './core/ports.ts';
import type { OperatorEvent, PublicationSource, PublishableWrite } from './core/publishing.ts';
import type { Registry, RegistryChanges } from './core/registry/registry.ts';
import { serviceKey } from './core/registry/service-index.ts';
import type { ReadinessCheck } from './core/report.ts';

export interface IstioPublishingOptions {
  readonly settings: IstioSettings;
  readonly registry: Registry;
  readonly graph: DependencyGraph;
  /** These dependencies changed. */
  readonly touched: (keys: readonly string[]) => void;
  readonly problem: (problem: Problem) => void;
  readonly now: () => Timestamp;
}

export class IstioPublishing implements PublicationSource {
  readonly #options: IstioPublishingOptions;
  /** Begins when mesh and graph are known completely: half of either would take services away. */
  #publication: MeshPublication | undefined;
  readonly #unreadable = new UnreadableKinds();
  #lookAgainAt = Number.POSITIVE_INFINITY;
  #onDue: () => void = () => {};
  #onEvent: (event: OperatorEvent) => void = () => {};
  /** What operators were told last of external connections. */
  #externalDirectRefusal: string | undefined;

  constructor(options: IstioPublishingOptions) {
    this.#options = options;
  }

  /** Mesh and graph are complete; called once. */
  begin(egresses: ReadonlySet<string>): void {
    const { settings, registry, graph, now } = this.#options;
    const view = registryView({ registry, graph, settings, unreadable: () => this.#unreadable.lasting(now()) });
    this.#publication = new MeshPublication(settings, view, now());
    this.#publication.egressesConnected(egresses, now());
    for (const { managed } of registry.policies.managedSidecars()) if (managed) this.#settle(managed.workload);
    this.#onDue();
  }

  /** Where events for operators go. */
  onEvent(listener: (event: OperatorEvent) => void): void {
    this.#onEvent = listener;
  }

  /**
   * Every ready replica behind a Service that is named with its port: its ClusterIP would lead to one of them only.
   * `undefined`: it is no Service of the mesh, or is not known yet.
   */
  endpointsOf({ address, port }: SocketAddress): readonly SocketAddress[] | undefined {
    const { registry, settings } = this.#options;
    const service = registry.serviceByHost(address, settings.rootNamespace);
    const ready = service && registry.endpoints(serviceKey(service), port).filter((endpoint) => endpoint.ready);
    return ready && ready.length > 0
      ? ready.map((endpoint) => ({ address: endpoint.address, port: endpoint.port }))
      : undefined;
  }

  status(workload: WorkloadKey): PublicationStatus | undefined {
    return this.#publication?.status(workload);
  }

  /** How what was asked for stands. */
  checks(): readonly ReadinessCheck[] {
    const { externalDirect } = this.#options.settings;
    return externalDirect ? [externalDirectCheck(externalDirect, this.#publication?.externalDirectRefusal)] : [];
  }

  unreadable(kinds: ReadonlySet<MeshObject['kind']>): void {
    const now = this.#options.now();
    this.#unreadable.told(kinds, now, this.#publication !== undefined);
    this.#lookAgainAt = this.#unreadable.nextAt(now);
    this.#changed({ mesh: true });
  }

  registryChanged(changes: RegistryChanges): void {
    const { settings } = this.#options;
    const own = [...changes.services].some((service) => service.startsWith(`${settings.namespace}/`));
    const mesh = changes.policies || changes.everybody || changes.hosts.size > 0 || own;
    const { pods, sidecars, workloads } = changes;
    this.#changed({ pods, sidecars, workloads, mesh, objects: true });
    for (const workload of changes.sidecars) this.#settle(workload);
  }

  /** These have learned something. */
  graphChanged(workloads: Iterable<WorkloadKey>): void {
    this.#changed({ workloads });
  }

  /** It has forgotten something. */
  forgot(workload: WorkloadKey): void {
    this.#settle(workload);
    this.graphChanged([workload]);
  }

  /** Addresses of the egresses that are connected to us now. */
  egressesConnected(addresses: ReadonlySet<string>): void {
    this.#publication?.egressesConnected(addresses, this.#options.now());
    this.#onDue();
  }

  egressRefused(count: number): void {
    this.#publication?.egressRefused(count, this.#options.now());
    this.#onDue();
  }

  // --- PublicationSource

  get nextWriteAt(): Timestamp {
    return Math.min(this.#publication?.nextAt ?? Number.POSITIVE_INFINITY, this.#lookAgainAt);
  }

  onDue(listener: () => void): void {
    this.#onDue = listener;
  }

  dueWrites(now: Timestamp): readonly PublishableWrite[] {
    if (now >= this.#lookAgainAt) {
      this.#lookAgainAt = this.#unreadable.nextAt(now);
      this.#publication?.changed({ mesh: true }, now);
    }
    const writes = this.#publication?.dueWrites(now) ?? [];
    this.#announce();
    return writes;
  }

  written(write: PublishableWrite, at: Timestamp): void {
    const workload = this.#publication?.written(write, at);
    if (workload !== undefined) this.#settle(workload);
  }

  failed(write: PublishableWrite, error: unknown, at: Timestamp): void {
    this.#publication?.failed(write, isAnswer(error) ? 'Refused' : 'Unknown', at);
    if (error === undefined) return;
    const { kind, namespace, name } = nameOf(write);
    const reason = reasonOf(error);
    this.#options.problem({ subject: `${kind} ${namespace}/${name}`, reason });
  }

  get awaitsArrival(): boolean {
    return this.#publication?.awaitsArrival ?? false;
  }

  arrived(asOf: Timestamp, at: Timestamp): void {
    this.#publication?.arrived(asOf, at);
    this.#onDue();
  }

  /** The probe could not tell whether writes have arrived. */
  unconfirmed(error: unknown): void {
    const reason = reasonOf(error);
    this.#options.problem({ subject: 'probe', reason: `${reason}; workloads wait in the middle of a phase` });
  }

  /** What its Sidecar routes to is active, what it holds no more has left. */
  #settle(workload: WorkloadKey): void {
    const { graph, touched, now } = this.#options;
    const published = this.#publication?.status(workload).published;
    if (!published) {
      // An eager sidecar holds everything: nothing leaves it by phases.
      touched(graph.expire(workload, () => false));
      return;
    }
    const active = graph.confirm(workload, ({ service }) => published.routed.has(service), now());
    const isHeld = (service: string): boolean => published.routed.has(service) || published.warm.has(service);
    const gone = graph.expire(workload, ({ service }) => isHeld(service));
    touched([...active, ...gone]);
  }

  #changed(change: MeshChange): void {
    this.#publication?.changed(change, this.#options.now());
    this.#onDue();
  }

  #announce(): void {
    this.#announceExternalDirect();
    for (const announcement of this.#publication?.takeAnnouncements() ?? []) {
      const event = eventOf(announcement, this.#options.settings);
      this.#onEvent(event);
      if (!announcement.refusal) continue;
      this.#options.problem({ subject: announcement.workload ?? 'mesh', reason: event.message });
    }
  }

  #announceExternalDirect(): void {
    const { settings, problem } = this.#options;
    const refusal = this.#publication?.externalDirectRefusal;
    if (refusal?.message === this.#externalDirectRefusal) return;
    this.#externalDirectRefusal = refusal?.message;
    const event = externalDirectEvent(refusal, settings);
    this.#onEvent(event);
    if (refusal) problem({ subject: 'external-direct', reason: event.message });
  }
}

/** Whether the write has surely not been carried out: it was not sent, or the API server said no. */
function isAnswer(error: unknown): boolean {
  return error === undefined || (error instanceof LazyscopeError && error.code !== 'Unavailable');
}

function nameOf({ write }: PublishableWrite): {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
} {
  if (write.type === 'Delete') return write.ref;
  const { kind, metadata } = write.manifest;
  return { kind, ...metadata };
}
