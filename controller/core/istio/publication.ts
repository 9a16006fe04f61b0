/**
 * Istio mode's half of the state: what every workload's Sidecar says, what it should say, and what is to be written
 * when. Pure: every event brings its own time, and the writes are handed out for a shell to carry out.
 */
import { canonicalJson } from '../canonical-json.ts';
import type { ManagedSidecar } from '../mesh-policy.ts';
import type { ServiceKey, Timestamp, WorkloadKey } from '../model.ts';
import type { Manifest, ManifestWrite } from '../publishing.ts';
import type { Enforcement } from './enforcement.ts';
import { nextStep, type Target } from './plan.ts';
import { ECHO_WITHIN_MS, PublishedWorkload, publishedScope } from './published-workload.ts';
import type { Refusal } from './refusal.ts';
import type { IstioSettings } from './settings.ts';
import { type SidecarScope, sidecarManifest, sidecarRef } from './sidecar.ts';

/** What the plan of one workload depends on besides what is published. */
export interface WorkloadPlan {
  readonly enforcement: Enforcement;
  readonly wanted: ReadonlySet<ServiceKey>;
}

export interface PublicationView {
  plan(workload: WorkloadKey): WorkloadPlan;
  /** Egress, placeholder and what must stay direct. */
  readonly base: ReadonlySet<ServiceKey>;
}

/** A write that is due. It must be answered with {@link Publication.written} or {@link Publication.failed}. */
export interface DueWrite {
  readonly workload: WorkloadKey;
  readonly write: ManifestWrite;
  /** What the workload holds then; `undefined`: no Sidecar. */
  readonly scope: SidecarScope | undefined;
}

/**
 * How a write failed. `Unknown`: nobody answered, and the API server may have it all the same.
 */
export type WriteFailure = 'Refused' | 'Unknown';

/** How a workload stands, for reports. */
export interface PublicationStatus {
  readonly published: SidecarScope | undefined;
  readonly refusal?: Refusal;
}

export class Publication {
  readonly #settings: IstioSettings;
  readonly #workloads = new Map<WorkloadKey, PublishedWorkload>();
  readonly #refusals = new Map<WorkloadKey, Refusal>();
  /** Those for which something may have to be written, now or later. */
  readonly #pending = new Set<WorkloadKey>();
  readonly #inFlight = new Set<WorkloadKey>();
  /** Whose next step waits for the arrival of the one before. */
  readonly #awaiting = new Set<WorkloadKey>();
  /** Writes that nobody answered. */
  readonly #unsettled = new Map<WorkloadKey, { readonly due: DueWrite; readonly since: Timestamp }>();
  /** Whose time has not come: nothing else needs to be asked before. */
  #nextAt = Number.POSITIVE_INFINITY;

  constructor(settings: IstioSettings) {
    this.#settings = settings;
  }

  /** Whether something is to be written as soon as what was written before has arrived. */
  get awaitsArrival(): boolean {
    return this.#awaiting.size > 0;
  }

  /** When {@link due} should be asked again if nothing happens before; infinite when there is nothing to wait for. */
  get nextAt(): Timestamp {
    return this.#nextAt;
  }

  /** Workloads with a Sidecar of ours. */
  *published(): Generator<WorkloadKey> {
    for (const [workload, { published }] of this.#workloads) if (published) yield workload;
  }

  status(workload: WorkloadKey): PublicationStatus {
    const refusal = this.#refusals.get(workload);
    return { published: this.#workloads.get(workload)?.published, ...(refusal ? { refusal } : {}) };
  }

  /** What these should hold may have changed. */
  soil(workloads: Iterable<WorkloadKey>, at: Timestamp): void {
    for (const workload of workloads) {
      // The first news of several counts: a steady trickle must not put the write off.
      if (!this.#pending.has(workload)) this.#of(workload, at).news(at);
      this.#pending.add(workload);
      this.#nextAt = Math.min(this.#nextAt, at);
    }
  }

  /** The API server holds this of a workload, or nothing. @returns whether somebody else changed it */
  observed(workload: WorkloadKey, sidecar: ManagedSidecar | undefined, view: PublicationView, at: Timestamp): boolean {
    const scope = sidecar && publishedScope(sidecar, view.base);
    const isForeign = this.#of(workload, at).observed(scope, at);
    if (isForeign) {
      this.#unsettled.delete(workload);
      this.soil([workload], at);
    }
    return isForeign;
  }

  /** The writes whose time has come; those of others are asked for again at {@link nextAt}. */
  due(view: PublicationView, now: Timestamp): DueWrite[] {
    const writes: DueWrite[] = [];
    this.#nextAt = Number.POSITIVE_INFINITY;
    this.#awaiting.clear();
    for (const workload of [...this.#pending]) {
      if (this.#inFlight.has(workload)) continue;
      const next = this.#next(workload, view, now);
      if (next === 'Nothing') this.#pending.delete(workload);
      else if (typeof next === 'number') this.#nextAt = Math.min(this.#nextAt, next);
      else writes.push(next);
    }
    for (const { workload } of writes) this.#inFlight.add(workload);
    return writes;
  }

  /** The API server has it. */
  written({ workload, write, scope }: DueWrite, at: Timestamp): void {
    this.#inFlight.delete(workload);
    this.#unsettled.delete(workload);
    const spec = write.type === 'Apply' ? canonicalJson(write.manifest.spec) : '';
    this.#of(workload, at).written(scope && { ...scope, spec }, at);
    this.#nextAt = Math.min(this.#nextAt, at);
  }

  failed(due: DueWrite, failure: WriteFailure, at: Timestamp): void {
    const { workload } = due;
    this.#inFlight.delete(workload);
    // That it refuses the repetition says nothing of the first try.
    if (failure === 'Unknown') this.#unsettled.set(workload, { due, since: at });
    this.#of(workload, at).failed(at);
    this.#nextAt = Math.min(this.#nextAt, at);
  }

  /** Everything that the API server had by the time `asOf` has reached the sidecars. */
  arrived(asOf: Timestamp, at: Timestamp): void {
    for (const workload of this.#pending) this.#workloads.get(workload)?.arrived(asOf);
    this.#nextAt = Math.min(this.#nextAt, at);
  }

  #of(workload: WorkloadKey, at: Timestamp): PublishedWorkload {
    const known = this.#workloads.get(workload) ?? new PublishedWorkload(at);
    this.#workloads.set(workload, known);
    return known;
  }

  /** The write of one workload, when to ask again, or that there is nothing to do. */
  #next(workload: WorkloadKey, view: PublicationView, now: Timestamp): DueWrite | Timestamp | 'Nothing' {
    const state = this.#of(workload, now);
    state.reconsider(now);
    const { enforcement, wanted } = view.plan(workload);
    this.#noteRefusal(workload, enforcement);
    if (enforcement.kind === 'Asleep') return 'Nothing';
    const unsettled = this.#unsettledOf(workload, now);
    if (unsettled) return laterOr(unsettled, state.mayWriteAt(true), now);
    const delay = this.#settings.promotionDelayMs;
    const target: Target = enforcement.kind === 'Lazy' ? { kind: 'Lazy', wanted } : enforcement;
    const { published } = state;
    const step = nextStep(published, target, state.hasArrived(now, delay));
    const mayWriteAt = state.mayWriteAt(target.kind === 'Eager');
    if (step.kind === 'Delete') {
      const write: ManifestWrite = { type: 'Delete', ref: sidecarRef(workload) };
      return laterOr({ workload, write, scope: undefined }, mayWriteAt, now);
    }
    const scope = step.kind === 'Write' ? step.scope : published;
    const manifest = scope && this.#manifest(workload, scope, { enforcement, base: view.base, published });
    if (scope && manifest) return laterOr({ workload, write: { type: 'Apply', manifest }, scope }, mayWriteAt, now);
    if (step.kind !== 'Rest' || !step.waiting) return state.reconsidersAt ?? 'Nothing';
    this.#awaiting.add(workload);
    return state.arrivesAt(delay);
  }

  /**
   * The write to be repeated before anything else is planned: a step from what was before it is not safe if the API
   * server has it after all. If the watch has not told it for this long, it has not.
   */
  #unsettledOf(workload: WorkloadKey, now: Timestamp): DueWrite | undefined {
    const unsettled = this.#unsettled.get(workload);
    if (!unsettled || now - unsettled.since < ECHO_WITHIN_MS) return unsettled?.due;
    this.#unsettled.delete(workload);
    return undefined;
  }

  /** @returns `undefined` if the API server holds this very spec. */
  #manifest(
    workload: WorkloadKey,
    scope: SidecarScope,
    parts: {
      readonly enforcement: Enforcement;
      readonly base: ReadonlySet<ServiceKey>;
      readonly published: { readonly spec: string } | undefined;
    },
  ): Manifest | undefined {
    const { enforcement, base, published } = parts;
    // On the way back to eager its pods may not be selectable any more; whom it selected keeps it until it is deleted.
    const selector = enforcement.kind === 'Lazy' ? enforcement.selector : publishedSelector(published);
    const manifest = sidecarManifest({ workload, selector, base: [...base], ...scope }, this.#settings);
    return published?.spec === canonicalJson(manifest.spec) ? undefined : manifest;
  }

  #noteRefusal(workload: WorkloadKey, enforcement: Enforcement): void {
    if (enforcement.kind === 'Eager' && enforcement.refusal) this.#refusals.set(workload, enforcement.refusal);
    else if (enforcement.kind !== 'Asleep') this.#refusals.delete(workload);
  }
}

function laterOr(due: DueWrite, at: Timestamp, now: Timestamp): DueWrite | Timestamp {
  return at > now ? at : due;
}

interface SpecWithSelector {
  readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> };
}

function publishedSelector(published: { readonly spec: string } | undefined): Readonly<Record<string, string>> {
  const spec: SpecWithSelector = JSON.parse(published?.spec ?? '{}');
  return spec.workloadSelector?.labels ?? {};
}
