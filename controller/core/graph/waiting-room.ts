import type { AccessLogEntry, Timestamp } from '../model.ts';

/** How long an entry may wait for the source to tell its pod. */
const PATIENCE_MS = 30_000;

interface Waiting {
  readonly entry: AccessLogEntry;
  readonly until: Timestamp;
}

/** Entries whose source address nobody is known to have had. Bounded: the oldest leave first. */
export class WaitingRoom {
  readonly #capacity: number;
  #waiting: Waiting[] = [];

  constructor(capacity = 10_000) {
    this.#capacity = capacity;
  }

  /** @returns how many older entries had to leave for it */
  add(entry: AccessLogEntry, now: Timestamp): number {
    this.#waiting.push({ entry, until: now + PATIENCE_MS });
    if (this.#waiting.length <= this.#capacity) return 0;
    this.#waiting.shift();
    return 1;
  }

  /** Takes out everything, to be tried once more; what fails again is put back with {@link putBack}. */
  takeAll(): readonly Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  /** @returns `false` if its time is over: it is dropped */
  putBack(waiting: Waiting, now: Timestamp): boolean {
    if (waiting.until <= now) return false;
    this.#waiting.push(waiting);
    return true;
  }

  get size(): number {
    return this.#waiting.length;
  }
}
