export interface LimitOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** Connections that have not reached an upstream yet. */
  readonly maxHalfOpenPerSource: number;
}

export type LimitRefusal = 'MaxConnections' | 'MaxConnectionsPerSource' | 'MaxHalfOpenPerSource';

interface SourceCount {
  open: number;
  halfOpen: number;
}

/** Counts connections, in all and by source address. */
export class Limits {
  readonly #options: LimitOptions;
  readonly #sources = new Map<string, SourceCount>();
  #open = 0;

  constructor(options: LimitOptions) {
    this.#options = options;
  }

  /** Connections that are admitted now. */
  get open(): number {
    return this.#open;
  }

  /** Admits a connection, half-open at first, or says which limit is reached. */
  admit(source: string): Admission | LimitRefusal {
    const { maxConnections, maxConnectionsPerSource, maxHalfOpenPerSource } = this.#options;
    if (this.#open >= maxConnections) return 'MaxConnections';
    const count = this.#sources.get(source) ?? { open: 0, halfOpen: 0 };
    if (count.open >= maxConnectionsPerSource) return 'MaxConnectionsPerSource';
    if (count.halfOpen >= maxHalfOpenPerSource) return 'MaxHalfOpenPerSource';
    this.#sources.set(source, count);
    count.open += 1;
    count.halfOpen += 1;
    this.#open += 1;
    return new Admission(count, () => this.#release(source, count));
  }

  #release(source: string, count: SourceCount): void {
    count.open -= 1;
    this.#open -= 1;
    if (count.open === 0) this.#sources.delete(source);
  }
}

/** One admitted connection's place. */
export class Admission {
  readonly #count: SourceCount;
  readonly #onRelease: () => void;
  #isHalfOpen = true;
  #isReleased = false;

  constructor(count: SourceCount, onRelease: () => void) {
    this.#count = count;
    this.#onRelease = onRelease;
  }

  /** It has reached an upstream. */
  established(): void {
    if (this.#isHalfOpen) this.#count.halfOpen -= 1;
    this.#isHalfOpen = false;
  }

  /** It has ended. Further calls do nothing. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.established();
    this.#onRelease();
  }
}
