/**
 * Keeps the two objects of {@link ExternalDirectSettings} as they should be, one step after the other: the VirtualService
 * comes before the ServiceEntry and goes after it, as an entry without it would take what belongs to the egress.
 */
import { canonicalJson } from '../canonical-json.ts';
import type { Timestamp } from '../model.ts';
import type { ManifestWrite } from '../publishing.ts';
import {
  entryManifest,
  entryRef,
  type LazySource,
  routesManifest,
  routesRef,
  sourceKey,
} from './external-direct-objects.ts';
import {
  type ExternalDirectRefusal,
  type ExternalDirectView,
  externalDirectRefusal,
} from './external-direct-refusal.ts';
import type { IstioSettings } from './settings.ts';

/** What the API server holds: `spec` as canonical JSON; absent: it does not exist. */
export interface HeldExternalDirect {
  readonly entry?: string | undefined;
  readonly routes?: string | undefined;
}

export interface ExternalDirectState extends ExternalDirectView {
  externalDirect(): HeldExternalDirect;
}

/** The watch tells what was written; what it has not told by then is written again. */
const AGAIN_MS = 5_000;
/** Every Service and pod is looked at, so that is not done at each change. */
const LOOK_EVERY_MS = 1_000;

export class ExternalDirect {
  readonly #settings: IstioSettings;
  #refusal: ExternalDirectRefusal | undefined;
  #isStale = true;
  #lookedAt: Timestamp = Number.NEGATIVE_INFINITY;
  /** Where somebody was lazy then. */
  #namespaces = '';
  /** Nothing is to be done, and nothing left from when there was. */
  #isIdle = false;
  #at: Timestamp = 0;
  #sent: { readonly text: string; readonly at: Timestamp } | undefined;
  /** From when the ServiceEntry is written until it is surely gone. */
  #mayHaveEntry = false;
  /** Workloads that the VirtualService leads to the egress. */
  #led: ReadonlySet<string> = new Set();

  constructor(settings: IstioSettings) {
    this.#settings = settings;
  }

  /** Why it is not done though it is set; of the last time that it was looked at. */
  get refusal(): ExternalDirectRefusal | undefined {
    return this.#refusal;
  }

  get nextAt(): Timestamp {
    return this.#at;
  }

  /** Anything in the mesh changed. */
  changed(at: Timestamp): void {
    if (this.#isIdle) return;
    this.#isStale = true;
    this.#at = Math.min(this.#at, Math.max(at, this.#lookedAt + LOOK_EVERY_MS));
  }

  /**
   * Whether a workload may become lazy: while the ServiceEntry exists, only what the VirtualService leads to the egress.
   */
  mayBeLazy(source: LazySource, { externalDirect }: Pick<ExternalDirectState, 'externalDirect'>): boolean {
    return (!this.#mayHaveEntry && externalDirect().entry === undefined) || this.#led.has(sourceKey(source));
  }

  /**
   * The next step, if one is due. @param sources every workload that is or is to become lazy
   * @returns `isNews`: what {@link mayBeLazy} answers has changed
   */
  due(
    state: ExternalDirectState,
    sources: readonly LazySource[],
    now: Timestamp,
  ): { readonly write: ManifestWrite | undefined; readonly isNews: boolean } {
    this.#at = Number.POSITIVE_INFINITY;
    this.#look(state, sources, now);
    const before = this.#led;
    const wasClosed = this.#mayHaveEntry;
    const held = state.externalDirect();
    this.#isIdle = !this.#settings.externalDirect && held.entry === undefined && held.routes === undefined;
    const step = this.#step(held, this.#refusal ? [] : sources);
    const isNews = this.#led !== before || (wasClosed && !this.#mayHaveEntry);
    return { write: step && this.#unlessSent(step, now), isNews };
  }

  /** Answered, one way or the other. */
  done(at: Timestamp): void {
    this.#at = Math.min(this.#at, at + AGAIN_MS);
  }

  #look(state: ExternalDirectState, sources: readonly LazySource[], now: Timestamp): void {
    const namespaces = new Set(sources.map(({ namespace }) => namespace));
    const names = [...namespaces].sort().join();
    const again = this.#lookedAt + LOOK_EVERY_MS;
    if (names === this.#namespaces && (!this.#isStale || now < again)) {
      if (this.#isStale) this.#at = again;
      return;
    }
    this.#namespaces = names;
    this.#lookedAt = now;
    this.#isStale = false;
    this.#refusal = externalDirectRefusal(state, this.#settings, namespaces);
  }

  #step(held: HeldExternalDirect, sources: readonly LazySource[]): ManifestWrite | undefined {
    const { externalDirect: setting } = this.#settings;
    if (!setting || sources.length === 0) return this.#removal(held);
    const routes = routesManifest(setting, sources, this.#settings);
    if (held.routes !== canonicalJson(routes.spec)) return { type: 'Apply', manifest: routes };
    const led = new Set(sources.map(sourceKey));
    if (led.size !== this.#led.size || [...led].some((key) => !this.#led.has(key))) this.#led = led;
    const entry = entryManifest(setting, sources, this.#settings);
    this.#mayHaveEntry = true;
    return held.entry === canonicalJson(entry.spec) ? undefined : { type: 'Apply', manifest: entry };
  }

  #removal(held: HeldExternalDirect): ManifestWrite | undefined {
    if (held.entry !== undefined) return { type: 'Delete', ref: entryRef(this.#settings) };
    this.#mayHaveEntry = false;
    return held.routes === undefined ? undefined : { type: 'Delete', ref: routesRef(this.#settings) };
  }

  #unlessSent(write: ManifestWrite, now: Timestamp): ManifestWrite | undefined {
    const text = canonicalJson(write);
    if (this.#sent?.text === text && now < this.#sent.at + AGAIN_MS) {
      this.#at = Math.min(this.#at, this.#sent.at + AGAIN_MS);
      return undefined;
    }
    this.#sent = { text, at: now };
    return write;
  }
}
