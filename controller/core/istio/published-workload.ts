/** One workload's Sidecar, as far as we know what the API server and the sidecars hold of it. */
import type { ManagedSidecar } from '../mesh-policy.ts';
import type { ServiceKey, Timestamp } from '../model.ts';
import { afterWrite, nextWriteAt, type Pace } from './pace.ts';
import { EVERYTHING } from './settings.ts';
import type { SidecarScope } from './sidecar.ts';

/** A watch may tell what was there before our last write for this long; after that it is somebody's change. */
export const ECHO_WITHIN_MS = 30_000;
const FIRST_RETRY_MS = 5_000;
const LONGEST_RETRY_MS = 5 * 60_000;

/** What a Sidecar says, and its whole `spec` as canonical JSON. */
export interface PublishedScope extends SidecarScope {
  readonly spec: string;
}

export class PublishedWorkload {
  /** `undefined`: there is no Sidecar of ours. */
  #published: PublishedScope | undefined;
  /** What the watch told last. */
  #told: PublishedScope | undefined;
  /** Our writes that the watch has not told yet, oldest first: it tells them in this order. */
  #untold: (string | undefined)[] = [];
  /** What was there before the watch told something that we had not been answered yet, or not written. */
  #beforeTold: PublishedScope | undefined;
  #writtenAt: Timestamp;
  #hasArrived = false;
  #pace: Pace | undefined;
  #newsAt: Timestamp;
  #failures = 0;
  #retryAt = 0;

  /** @param at when it came into view; what it holds then may just have been written */
  constructor(at: Timestamp) {
    this.#writtenAt = at;
    this.#newsAt = at;
  }

  get published(): PublishedScope | undefined {
    return this.#published;
  }

  /** Something may have to be written because of what happened now. */
  news(at: Timestamp): void {
    this.#newsAt = Math.max(this.#newsAt, at);
  }

  /**
   * The watch told the Sidecar, or that it is gone.
   * @returns whether that is a change that we did not make
   */
  observed(sidecar: PublishedScope | undefined, at: Timestamp): boolean {
    // Told once more, as when only its labels changed: it must not stand for a later write of ours with the same spec.
    if (this.#untold.length > 0 && sidecar?.spec === this.#told?.spec) return false;
    this.#told = sidecar;
    const ours = this.#untold.indexOf(sidecar?.spec);
    this.#untold.splice(0, ours + 1);
    if (ours >= 0 || this.#untold.length > 0 || sidecar?.spec === this.#published?.spec) return false;
    this.#takeTold(at);
    return true;
  }

  /** Takes what the watch told last for the truth once our own write should have been told long since. */
  reconsider(now: Timestamp): void {
    if (this.#untold.length === 0 || now - this.#writtenAt < ECHO_WITHIN_MS) return;
    this.#untold = [];
    if (this.#differs) this.#takeTold(now);
  }

  /** When {@link reconsider} may have to act; `undefined`: the watch has told nothing that differs. */
  get reconsidersAt(): Timestamp | undefined {
    return this.#untold.length > 0 && this.#differs ? this.#writtenAt + ECHO_WITHIN_MS : undefined;
  }

  get #differs(): boolean {
    return this.#told?.spec !== this.#published?.spec;
  }

  #takeTold(at: Timestamp): void {
    this.#beforeTold = this.#published;
    this.#published = this.#told;
    this.#writtenAt = at;
    this.#hasArrived = false;
    this.news(at);
  }

  /** The API server has it. */
  written(scope: PublishedScope | undefined, at: Timestamp): void {
    const before = this.#published;
    // The watch may have been faster than the answer to the write: then nothing more is awaited of it.
    const isTold = this.#untold.length === 0 && before?.spec === scope?.spec;
    if (!isTold) this.#untold.push(scope?.spec);
    this.#published = scope;
    this.#writtenAt = at;
    this.#hasArrived = false;
    // To become lazy or eager takes two writes that learning has no part in.
    const replaced = isTold ? this.#beforeTold : before;
    const isSwitch = !replaced || replaced.warm.has(EVERYTHING);
    this.#pace = isSwitch ? undefined : afterWrite(this.#pace, at);
    this.#failures = 0;
  }

  failed(at: Timestamp): void {
    this.#retryAt = at + Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
  }

  /** Everything that the API server had by then has reached the sidecars. */
  arrived(asOf: Timestamp): void {
    if (this.#writtenAt <= asOf) this.#hasArrived = true;
  }

  /** @param delayMs after which a write has surely arrived, whatever istiod is doing */
  hasArrived(now: Timestamp, delayMs: number): boolean {
    return this.#hasArrived || now >= this.#writtenAt + delayMs;
  }

  arrivesAt(delayMs: number): Timestamp {
    return this.#writtenAt + delayMs;
  }

  /** @param isUrgent it does not wait for more of the same burst */
  mayWriteAt(isUrgent: boolean): Timestamp {
    const at = isUrgent ? this.#newsAt : nextWriteAt(this.#pace, this.#newsAt);
    return this.#failures === 0 ? at : Math.max(at, this.#retryAt);
  }
}

/** What a Sidecar of ours says, without what every lazy sidecar holds. */
export function publishedScope({ routed, warm, spec }: ManagedSidecar, base: ReadonlySet<ServiceKey>): PublishedScope {
  return { routed: new Set(routed.filter((key) => !base.has(key))), warm: new Set(warm), spec };
}
