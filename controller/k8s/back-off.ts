/** How long to wait before trying again. */

export interface BackOffOptions {
  /** Longest first wait, in milliseconds. */
  readonly first: number;
  /** Longest wait of all. */
  readonly longest: number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/**
 * Exponential back-off with full jitter: each wait is anything from nothing to a bound that doubles. All watches of all
 * clients fail at once when an API server goes, and must not come back at once.
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
    const wait = this.#options.random() * this.#bound;
    this.#bound = Math.min(this.#bound * 2, this.#options.longest);
    return wait;
  }

  /** After a success. */
  reset(): void {
    this.#bound = this.#options.first;
  }
}
