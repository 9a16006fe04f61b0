/** Keeps the store abreast of the graph: news at once, counters now and then, everything again after a failure. */
import { reasonOf } from './core/error.ts';
import type { Dependency } from './core/model.ts';
import type { Problem, Store } from './core/ports.ts';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface PersistenceOptions {
  readonly store: Store;
  /** The dependency as it stands now. */
  readonly read: (key: string) => Dependency | undefined;
  /** Every key: what is saved again after the store failed, since it may have lost what it had. */
  readonly keys: () => Iterable<string>;
  /**
   * These are durable now, or the store cannot make them so: learning goes on in memory and catches up later,
   * because a request that keeps crossing the egress is worse than one edge to learn again.
   */
  readonly settled: (keys: readonly string[]) => void;
  readonly problem: (problem: Problem) => void;
}

export class Persistence {
  readonly #options: PersistenceOptions;
  readonly #news = new Set<string>();
  readonly #unsaved = new Set<string>();
  #running: Promise<void> | undefined;
  #retryAfter = FIRST_RETRY_MS;
  #retry: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  constructor(options: PersistenceOptions) {
    this.#options = options;
  }

  /** The last save's failure, while it lasts. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** News: saved at once unless the store is down, and reported to `settled` when that is done. */
  add(key: string): void {
    this.#news.add(key);
    this.#run();
  }

  /** Changed counters: saved with the next news, or by {@link flush}. */
  touch(key: string): void {
    this.#unsaved.add(key);
  }

  /** Saves everything that is not saved yet; resolves when that was tried. */
  async flush(): Promise<void> {
    await this.#running;
    if (this.#unsaved.size > 0) await this.#save([]);
  }

  async close(): Promise<void> {
    clearTimeout(this.#retry);
    await this.flush();
    await this.#options.store.close();
  }

  #run(): void {
    this.#running ??= this.#drain().finally(() => {
      this.#running = undefined;
      if (this.#news.size > 0) this.#run();
    });
  }

  async #drain(): Promise<void> {
    // One turn of the loop, so that all entries of a message, and of messages that wait, share one transaction.
    await new Promise((resolve) => setImmediate(resolve));
    const news = [...this.#news];
    this.#news.clear();
    if (this.#failure === undefined) await this.#save(news);
    else this.#postpone(news);
    this.#options.settled(news);
  }

  /** Each try on a locked file blocks for as long as it may wait for the lock: while the store is down, the retry tries. */
  #postpone(news: readonly string[]): void {
    for (const key of news) this.#unsaved.add(key);
  }

  async #save(news: readonly string[]): Promise<void> {
    const keys = new Set([...this.#unsaved, ...news]);
    this.#unsaved.clear();
    try {
      await this.#options.store.save([...keys].flatMap((key) => this.#options.read(key) ?? []));
      this.#recovered();
    } catch (error) {
      this.#failed(error);
    }
  }

  #recovered(): void {
    this.#failure = undefined;
    this.#retryAfter = FIRST_RETRY_MS;
  }

  #failed(error: unknown): void {
    const reason = reasonOf(error);
    if (this.#failure !== reason) this.#options.problem({ subject: 'store', reason });
    this.#failure = reason;
    for (const key of this.#options.keys()) this.#unsaved.add(key);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.flush(), this.#retryAfter).unref();
    this.#retryAfter = Math.min(this.#retryAfter * 2, LONGEST_RETRY_MS);
  }
}
