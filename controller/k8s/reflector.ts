/** Follows one kind: lists it, watches it, and begins again where that ends. */

import { setTimeout as delay } from 'node:timers/promises';
import { BackOff } from '../core/back-off.ts';
import { LazyscopeError } from '../core/error.ts';
import type { Cluster } from './cluster.ts';
import { KnownObjects, type News, type Seen } from './known-objects.ts';
import { list, type Reader, watch } from './reading.ts';
import { answerBehind } from './refusal.ts';
import type { WatchedResource } from './resources.ts';
import type { KubernetesTimings } from './timings.ts';

/** How a kind stands. What is known of it is kept in every state. */
export type ReflectorState =
  /** Not listed yet. */
  | { readonly name: 'Starting' }
  | { readonly name: 'Following' }
  /** The API server does not have this kind: no such CustomResourceDefinition is installed. */
  | { readonly name: 'Absent' }
  | { readonly name: 'Forbidden'; readonly reason: string }
  /** `since`: by the clock that was given. */
  | { readonly name: 'Down'; readonly reason: string; readonly since: number };

/** Whom a reflector tells. */
export interface ReflectorListener {
  told(resource: WatchedResource, news: News): void;
  /** The kind was listed, or it is known that it cannot be. Called once. */
  settled(resource: WatchedResource): void;
  /** Called after each change of state. */
  stateChanged(resource: WatchedResource): void;
}

export interface ReflectorOptions {
  readonly cluster: Cluster;
  readonly resource: WatchedResource;
  readonly known: KnownObjects;
  readonly listener: ReflectorListener;
  readonly timings: KubernetesTimings;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** A list without this many known objects, and this share of them, is read again before they are held for deleted. */
const DOUBTFUL_COUNT = 10;
const DOUBTFUL_SHARE = 0.1;

const GONE = 410;

interface Listing {
  /** `undefined`: nothing was known before, so that nothing can be missing. */
  readonly seen: Seen | undefined;
  /** `undefined`: the kind does not exist. */
  readonly resourceVersion: string | undefined;
}

export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #backOff: BackOff;
  #state: ReflectorState = { name: 'Starting' };
  #settled = false;
  /** A list in protobuf could not be read, by our fault or that of something in between. */
  #jsonOnly = false;
  /** Where the next watch begins; `undefined`: with a list. */
  #resourceVersion: string | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
    const { firstRetry, longestRetry } = options.timings;
    this.#backOff = new BackOff({ first: firstRetry, longest: longestRetry, random: options.random });
  }

  get resource(): WatchedResource {
    return this.#options.resource;
  }

  get state(): ReflectorState {
    return this.#state;
  }

  /** Resolves once the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { cluster, resource } = this.#options;
    while (!signal.aborted) {
      const wait = await this.#turn({ cluster, resource, signal, jsonOnly: this.#jsonOnly });
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One list where none is valid, and one watch. @returns milliseconds to wait before the next */
  async #turn(reader: Reader): Promise<number> {
    try {
      this.#resourceVersion ??= await this.#list(reader);
      if (this.#resourceVersion === undefined) this.#enter({ name: 'Absent' });
      else if (this.#state.name === 'Starting') this.#enter({ name: 'Following' });
      this.#settle();
      if (this.#resourceVersion === undefined) return this.#calm();
      await this.#watch(reader, this.#resourceVersion);
      return this.#backOff.next();
    } catch (error) {
      return reader.signal.aborted ? 0 : this.#failed(LazyscopeError.from('Unavailable', reader.resource.kind, error));
    }
  }

  /** @returns resourceVersion to watch from */
  async #list(reader: Reader): Promise<string | undefined> {
    const { known, now, timings } = this.#options;
    let listing = await this.#read(reader);
    if (this.#isDoubtful(listing)) {
      await delay(timings.secondLook, undefined, { signal: reader.signal });
      listing = await this.#read(reader);
    }
    if (listing.seen) this.#tell({ events: known.dropMissing(listing.seen, now()), problems: [] });
    return listing.resourceVersion;
  }

  /** Reads every page and tells what is new there. */
  async #read(reader: Reader): Promise<Listing> {
    const { known } = this.#options;
    const isFirst = known.size === 0;
    const seen: Seen | undefined = isFirst ? undefined : new Set();
    try {
      const onItems = (items: readonly unknown[]): void => {
        if (seen) KnownObjects.see(items, seen);
        this.#upsert(items);
      };
      const resourceVersion = await list(reader, { isFirst, onItems });
      return { seen, resourceVersion };
    } catch (error) {
      this.#jsonOnly ||= error instanceof LazyscopeError && error.code === 'InvalidBytes';
      if (answerBehind(error)?.status === 404) return { seen: new Set(), resourceVersion: undefined };
      throw error;
    }
  }

  /** A restarting API server may not have all its kinds, or not all its objects, at once. */
  #isDoubtful({ seen, resourceVersion }: Listing): boolean {
    const { known } = this.#options;
    const missing = seen ? known.missing(seen) : 0;
    if (resourceVersion === undefined) return missing > 0;
    return missing > DOUBTFUL_COUNT && missing > DOUBTFUL_SHARE * known.size;
  }

  async #watch(reader: Reader, resourceVersion: string): Promise<void> {
    const { timings, random, known, now } = this.#options;
    const seconds = (timings.watchDuration / 1000) * (1 + random());
    const begin = performance.now();
    let chunks = 0;
    try {
      for await (const chunk of watch(reader, { resourceVersion, seconds, idleLimit: timings.idleLimit })) {
        if (reader.signal.aborted) return;
        this.#enter({ name: 'Following' });
        const at = now();
        const news = chunk.changes.map(({ type, object }) =>
          type === 'Deleted' ? known.delete(object, at) : known.upsert(object, at),
        );
        this.#tell(joined(news));
        this.#resourceVersion = chunk.resourceVersion;
        chunks += 1;
      }
    } finally {
      // The first chunk says only that the watch was accepted.
      if (chunks > 1 || (chunks > 0 && performance.now() - begin > timings.goodWatch)) this.#backOff.reset();
    }
  }

  #upsert(items: readonly unknown[]): void {
    const { known, now } = this.#options;
    const at = now();
    this.#tell(joined(items.map((item) => known.upsert(item, at))));
  }

  #tell(news: News): void {
    if (news.events.length + news.problems.length > 0) this.#options.listener.told(this.resource, news);
  }

  /** @returns milliseconds to wait */
  #failed(error: LazyscopeError): number {
    const answer = answerBehind(error);
    const isUnreadable = error.code === 'InvalidBytes' || error.code === 'NotFound';
    if (answer?.status === GONE || isUnreadable) this.#resourceVersion = undefined;
    // That is how an old watch ends: no fault, unless the list that follows fails.
    if (answer?.status === GONE) return this.#backOff.next();
    if (error.code === 'Forbidden') {
      this.#enter({ name: 'Forbidden', reason: error.message });
      this.#settle();
      // A server that starts refuses everybody for a second or two, until it has read its roles.
      return Math.min(this.#backOff.next(), this.#calm());
    }
    const since = this.#state.name === 'Down' ? this.#state.since : this.#options.now();
    this.#enter({ name: 'Down', reason: error.message, since });
    return Math.max(this.#backOff.next(), answer?.retryAfter ?? 0);
  }

  #calm(): number {
    const { timings, random } = this.#options;
    return timings.calmRetry * (1 + random() / 2);
  }

  #settle(): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#options.listener.settled(this.resource);
  }

  #enter(state: ReflectorState): void {
    const isSame = state.name === this.#state.name && (state.name !== 'Down' || state.reason === reasonOf(this.#state));
    this.#state = state;
    if (!isSame) this.#options.listener.stateChanged(this.resource);
  }
}

function reasonOf(state: ReflectorState): string {
  return 'reason' in state ? state.reason : '';
}

function joined(news: readonly News[]): News {
  return { events: news.flatMap(({ events }) => events), problems: news.flatMap(({ problems }) => problems) };
}
