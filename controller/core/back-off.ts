/** How long to wait before trying again. */

export interface BackOffOptions {
  /** Longest first wait, in milliseconds. */
  readonly first: number;
  /** Longest wait of all. */
  readonly longest: number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Share of the bound that is waited at least, from 0 to 1. Default: 0. */
  readonly least?: number;
}

/**
 * Exponential back-off with jitter: each wait is anything from a share of a bound to that bound, which doubles. All
 * clients fail at once when a server goes, and must not come back at once.
 */
export class BackOff {
  readonly #options: BackOffOptions;
  #bound: number;

  constructor(options: BackOffOptions) {
    this.#options = options;
    this.#bound = options.first;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const { random, longest, least = 0 } = this.#options;
    const wait = (least + (1 - least) * random()) * this.#bound;
    this.#bound = Math.min(this.#bound * 2, longest);
    return wait;
  }

  /** After a success. */
  reset(): void {
    this.#bound = this.#options.first;
  }
}

/** A stream that lived this long was a good one. */
const GOOD_STREAM_MS = 10_000;

/** Back-off of one long-lived stream: from 0.1 s to 5 s, at least half the bound, anew after a stream that was good. */
export class StreamBackOff {
  readonly #backOff: BackOff;

  /** @param random from 0 to below 1 */
  constructor(random: () => number) {
    this.#backOff = new BackOff({ first: 100, longest: 5_000, least: 0.5, random });
  }

  /** Milliseconds to wait after a stream that lived for so many milliseconds. */
  after(livedMs: number): number {
    if (livedMs > GOOD_STREAM_MS) this.#backOff.reset();
    return this.#backOff.next();
  }
}
