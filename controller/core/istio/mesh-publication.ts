/**
 * What Istio mode keeps besides registry and graph: which workloads may be lazy, what their Sidecars say, which ports the
 * mesh's own Services carry, and whether there is an egress. Pure; owned and fed by the pipeline.
 */
import { namespaceOf } from '../key-parts.ts';
import type { Sidecar } from '../mesh-policy.ts';
import type { Labels, Pod, ScopedPort, ServiceKey, Timestamp, WorkloadKey } from '../model.ts';
import type { PublishableWrite } from '../publishing.ts';
import type { Announcement } from './announcement.ts';
import { EgressHealth } from './egress-health.ts';
import { enforcementOf, type WorkloadView } from './enforcement.ts';
import { ExternalDirect, type ExternalDirectState } from './external-direct.ts';
import type { LazySource } from './external-direct-objects.ts';
import type { ExternalDirectRefusal } from './external-direct-refusal.ts';
import { type MeshPorts, openPorts, portWrites } from './mesh-objects.ts';
import { meshRefusal } from './mesh-refusal.ts';
import { OpenPorts } from './open-ports.ts';
import {
  type DueWrite,
  Publication,
  type PublicationStatus,
  type PublicationView,
  type WorkloadPlan,
  type WriteFailure,
} from './publication.ts';
import { type Refusal, type RefusalReason, refusal } from './refusal.ts';
import { selectsLabels } from './selector.ts';
import { DECOY_SERVICE, type IstioSettings, ownKey } from './settings.ts';
import { sidecarRef } from './sidecar.ts';
import { MOST_PINS, pins, type ScopeLimits, type WantedView, wantedKeys } from './wanted.ts';

/** What is asked of registry and graph. */
export interface MeshPublicationView extends WorkloadView, WantedView, ExternalDirectState {
  readonly httpPorts: ReadonlySet<number>;
  workloads(): Iterable<WorkloadKey>;
  mixedPorts(): readonly ScopedPort[];
  meshPorts(): MeshPorts;
  /** What every lazy sidecar holds. */
  base(): ReadonlySet<ServiceKey>;
  managedSidecar(workload: WorkloadKey): Sidecar | undefined;
  managedSidecars(): Iterable<Sidecar>;
  /** Ready addresses behind the egress's Service. */
  egressEndpoints(): ReadonlySet<string>;
  /** What the workload's dependencies lead to. */
  servicesOf(workload: WorkloadKey): Iterable<ServiceKey>;
}

/** What changed, as far as publication is concerned. */
export interface MeshChange {
  readonly workloads?: Iterable<WorkloadKey>;
  readonly pods?: Iterable<Pod>;
  /** Their Sidecars of ours came, changed or went. */
  readonly sidecars?: Iterable<WorkloadKey>;
  /** Anything that concerns many: policies, modes, services on mixed ports. */
  readonly mesh?: boolean;
  /** Any object of the mesh came, changed or went. */
  readonly objects?: boolean;
}

/** The watch tells the ports that were written, and then they are looked at; after this long they are in any case. */
const PORTS_AGAIN_MS = 5_000;
const NO_KEYS: ReadonlySet<ServiceKey> = new Set();

export class MeshPublication {
  readonly #settings: IstioSettings;
  readonly #view: MeshPublicationView;
  readonly #publication: Publication;
  readonly #openPorts = new OpenPorts();
  readonly #health: EgressHealth;
  readonly #external: ExternalDirect;
  /** Workloads that are lazy, or would be if nothing refused, with the labels that select them where they are. */
  readonly #enforced = new Map<WorkloadKey, Labels | undefined>();
  #announcements: Announcement[] = [];
  /** What operators were told last of the mesh, and of workloads for reasons of their own. */
  #announced: Refusal | undefined;
  readonly #announcedOf = new Map<WorkloadKey, string>();
  #connected: ReadonlySet<string> = new Set();
  #meshRefusal: Refusal | undefined;
  #healthBefore: RefusalReason | undefined;
  #isStale = true;
  #mixedPorts: readonly ScopedPort[] = [];
  #pins: ReadonlySet<ServiceKey> = NO_KEYS;
  #base: ReadonlySet<ServiceKey> = NO_KEYS;
  /** What limits every scope alike. */
  #limits: Omit<ScopeLimits, 'routed'> = { openPorts: new Set(), never: NO_KEYS };
  #portsAt: Timestamp = 0;
  #arePortsInFlight = false;
  #now: Timestamp;

  /** @param at when the mesh became known completely */
  constructor(settings: IstioSettings, view: MeshPublicationView, at: Timestamp) {
    this.#settings = settings;
    this.#view = view;
    this.#publication = new Publication(settings);
    this.#health = new EgressHealth(at);
    this.#external = new ExternalDirect(settings);
    this.#now = at;
    this.#refreshMesh(at);
    for (const { managed } of view.managedSidecars()) if (managed) this.#observed(managed.workload, at);
    this.#publication.soil(view.workloads(), at);
  }

  get nextAt(): Timestamp {
    const ofMesh = Math.min(this.#health.nextAt, this.#portsAt, this.#external.nextAt);
    return Math.min(this.#publication.nextAt, ofMesh, this.#isStale ? this.#now : Infinity);
  }

  /** Why external connections cross the egress though they should not. */
  get externalDirectRefusal(): ExternalDirectRefusal | undefined {
    return this.#external.refusal;
  }

  get awaitsArrival(): boolean {
    return this.#publication.awaitsArrival;
  }

  status(workload: WorkloadKey): PublicationStatus {
    return this.#publication.status(workload);
  }

  changed(change: MeshChange, at: Timestamp): void {
    const { workloads = [], pods = [], sidecars = [], mesh = false, objects = false } = change;
    if (objects) this.#external.changed(at);
    this.#publication.soil(workloads, at);
    for (const pod of pods) this.#podChanged(pod, at);
    for (const workload of sidecars) this.#observed(workload, at);
    if (mesh) this.#soilMesh(at);
  }

  /** Addresses of the egresses that are connected to us. */
  egressesConnected(addresses: ReadonlySet<string>, at: Timestamp): void {
    this.#connected = addresses;
    this.#soilMesh(at);
  }

  egressRefused(count: number, at: Timestamp): void {
    this.#health.refused(count, at);
    this.#soilMesh(at);
  }

  /** Ports of the mesh come first: scopes depend on them. */
  dueWrites(now: Timestamp): PublishableWrite[] {
    this.#now = now;
    this.#refreshMesh(now);
    const ports = this.#duePorts(now);
    // Planned before: whoever becomes lazy has to be led to the egress first.
    const ofWorkloads = this.#publication.due(this.#publicationView(), now);
    return [...ports, ...this.#dueExternal(now), ...ofWorkloads];
  }

  #dueExternal(now: Timestamp): PublishableWrite[] {
    const { write, isNews } = this.#external.due(this.#view, this.#lazySources(), now);
    if (isNews) this.#soilMesh(now);
    return write ? [{ workload: undefined, write }] : [];
  }

  /** Of every workload that is or is to become lazy. One without pods is known by what its Sidecar selects. */
  #lazySources(): readonly LazySource[] {
    if (!this.#settings.externalDirect) return [];
    const selectors = new Map<WorkloadKey, Labels>();
    for (const { managed, selector } of this.#view.managedSidecars()) {
      if (managed && selector) selectors.set(managed.workload, selector);
    }
    for (const [workload, selector] of this.#enforced) if (selector) selectors.set(workload, selector);
    return [...selectors].map(([workload, selector]) => ({ namespace: namespaceOf(workload), selector }));
  }

  /** @returns the workload whose Sidecar it is */
  written(write: PublishableWrite, at: Timestamp): WorkloadKey | undefined {
    if (isOfWorkload(write)) {
      this.#publication.written(write, at);
      // A port may have waited for this workload to route to the TCP services on it.
      if (this.#portsAt !== Number.POSITIVE_INFINITY) this.#portsAt = at;
    } else this.#meshDone(write, at);
    return write.workload;
  }

  failed(write: PublishableWrite, failure: WriteFailure, at: Timestamp): void {
    if (isOfWorkload(write)) this.#publication.failed(write, failure, at);
    else this.#meshDone(write, at);
  }

  arrived(asOf: Timestamp, at: Timestamp): void {
    this.#publication.arrived(asOf, at);
  }

  /** What began or ended to be refused since this was last asked. */
  takeAnnouncements(): readonly Announcement[] {
    const why = this.#meshRefusal;
    const isNews = why?.message !== this.#announced?.message;
    // While nobody wants to be lazy there is nobody to tell.
    if (isNews && this.#enforced.size > 0) {
      this.#announced = why;
      this.#announcements.unshift({ workload: undefined, refusal: why });
    }
    const taken = this.#announcements;
    this.#announcements = [];
    return taken;
  }

  #soilMesh(at: Timestamp): void {
    this.#isStale = true;
    this.#now = at;
  }

  #observed(workload: WorkloadKey, at: Timestamp): void {
    const sidecar = this.#view.managedSidecar(workload);
    const isOurs = sidecar !== undefined && sidecar.name === sidecarRef(workload).name;
    this.#publication.observed(workload, isOurs ? sidecar.managed : undefined, this.#publicationView(), at);
  }

  /** A pod may also have come under the selector of another workload. */
  #podChanged(pod: Pod, at: Timestamp): void {
    const own = this.#view.workloadOf(pod);
    const others = [...this.#enforced].filter(
      ([workload, selector]) =>
        workload !== own &&
        workload.startsWith(`${pod.namespace}/`) &&
        (selector === undefined || selectsLabels(selector, pod.labels)),
    );
    this.#publication.soil([own, ...others.map(([workload]) => workload)], at);
    this.#isStale ||= pod.namespace === this.#settings.namespace || this.#mayBeSelected(pod);
  }

  /** It may have come under a NetworkPolicy, or left one. */
  #mayBeSelected({ namespace }: Pod): boolean {
    if (this.#settings.allowRelayPastPolicies) return false;
    return [...this.#view.networkPolicies()].some((policy) => policy.namespace === namespace);
  }

  /** Looks again at what concerns everybody; whoever it concerns is looked at again too. */
  #refreshMesh(now: Timestamp): void {
    const endpoints = this.#view.egressEndpoints();
    this.#health.ready(
      [...this.#connected].some((address) => endpoints.has(address)),
      now,
    );
    const health = this.#health.refusal(now, false);
    if (!this.#isStale && health?.reason === this.#healthBefore) return;
    this.#isStale = false;
    this.#healthBefore = health?.reason;
    this.#base = this.#view.base();
    this.#mixedPorts = this.#view.mixedPorts().filter(({ service }) => !this.#base.has(service));
    this.#pins = pins(this.#mixedPorts);
    this.#limits = {
      openPorts: openPorts(this.#view.meshPorts()),
      never: new Set([...this.#base, ownKey(this.#settings, DECOY_SERVICE)]),
    };
    this.#meshRefusal = meshRefusal(this.#view, this.#settings) ?? health ?? this.#tooManyPins();
    this.#portsAt = now;
    this.#publication.soil(this.#enforced.keys(), now);
  }

  #publicationView(): PublicationView {
    return { base: this.#base, plan: (workload) => this.#plan(workload) };
  }

  #plan(workload: WorkloadKey): WorkloadPlan {
    const { published } = this.#publication.status(workload);
    const mesh = this.#meshRefusal ?? this.#health.refusal(this.#now, published === undefined);
    const enforcement = enforcementOf(workload, this.#view, this.#settings, mesh);
    const why = enforcement.kind === 'Eager' ? enforcement.refusal : undefined;
    if (enforcement.kind === 'Lazy') this.#enforced.set(workload, enforcement.selector);
    else if (why || published) this.#enforced.set(workload, undefined);
    else if (enforcement.kind === 'Eager') this.#enforced.delete(workload);
    if (!why || why !== mesh) this.#announce(workload, why, enforcement.kind === 'Lazy');
    if (enforcement.kind !== 'Lazy') return { enforcement, wanted: NO_KEYS };
    const source = { namespace: namespaceOf(workload), selector: enforcement.selector };
    if (!this.#external.mayBeLazy(source, this.#view)) return { enforcement: { kind: 'Asleep' }, wanted: NO_KEYS };
    const used = [...this.#view.servicesOf(workload), ...this.#pins];
    const limits = { ...this.#limits, routed: published?.routed ?? NO_KEYS };
    return { enforcement, wanted: wantedKeys(used, this.#view, limits) };
  }

  /** @param isLazy only then may the end of a refusal be told: the mode may have changed instead */
  #announce(workload: WorkloadKey, why: Refusal | undefined, isLazy: boolean): void {
    const before = this.#announcedOf.get(workload);
    if (before === why?.message) return;
    if (why) this.#announcedOf.set(workload, why.message);
    else this.#announcedOf.delete(workload);
    if (why || isLazy) this.#announcements.push({ workload, refusal: why });
  }

  #tooManyPins(): Refusal | undefined {
    if (this.#pins.size <= MOST_PINS) return undefined;
    const [example] = this.#pins;
    const many = `${this.#pins.size} services such as ${example} have a TCP port whose number is HTTP elsewhere`;
    return refusal(
      'MixedPorts',
      `${many}: give them other numbers, or set protocolDetectionTimeout in the mesh config`,
    );
  }

  #duePorts(now: Timestamp): PublishableWrite[] {
    if (this.#arePortsInFlight || now < this.#portsAt) return [];
    const routed = [...this.#publication.published()].flatMap((workload) => {
      const { published } = this.#publication.status(workload);
      return published ? [published.routed] : [];
    });
    const { ports, nextAt } = this.#openPorts.ready(this.#view.httpPorts, this.#mixedPorts, routed, now);
    this.#portsAt = nextAt;
    const manifests = portWrites(this.#view.meshPorts(), ports, this.#settings);
    this.#arePortsInFlight = manifests.length > 0;
    return manifests.map((manifest) => ({ workload: undefined, write: { type: 'Apply', manifest } }));
  }

  #meshDone(write: PublishableWrite, at: Timestamp): void {
    if (isOfPorts(write)) {
      this.#arePortsInFlight = false;
      this.#portsAt = at + PORTS_AGAIN_MS;
    } else this.#external.done(at);
  }
}

/** Of the writes that concern no workload, only ports are those of Services. */
function isOfPorts({ write }: PublishableWrite): boolean {
  return (write.type === 'Apply' ? write.manifest : write.ref).kind === 'Service';
}

function isOfWorkload(write: PublishableWrite): write is DueWrite {
  return write.workload !== undefined;
}
