/** Keeps the store abreast of the graph: news at once, counters now and then, everything again after a failure. */
import { reasonOf } from './core/error.ts';
import type { Dependency } from './core/model.ts';
import type { Problem, Store } from './core/ports.ts';

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** Dependencies in one step: some milliseconds, in which nothing else happens, as `node:sqlite` is synchronous. */
const BATCH = 400;

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
  readonly #touched = new Set<string>();
  /** What was touched before the flush that is under way. */
  readonly #due = new Set<string>();
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
    void this.#run();
  }

  /** Changed counters: saved where a transaction of news has room, or by {@link flush}. */
  touch(key: string): void {
    this.#touched.add(key);
  }

  /** Saves everything that is not saved yet, step by step; resolves when that was tried. */
  async flush(): Promise<void> {
    for (const key of this.#touched) this.#due.add(key);
    this.#touched.clear();
    await (this.#due.size > 0 ? this.#run() : this.#running);
  }

  async close(): Promise<void> {
    await this.flush();
    clearTimeout(this.#retry);
    await this.#options.store.close();
  }

  /** To be called when there is something to save. */
  #run(): Promise<void> {
    this.#running ??= this.#drain();
    return this.#running;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#news.size > 0 || this.#due.size > 0) {
        // One turn of the loop, so that others get theirs, and all entries of a message, and of messages that wait,
        // share one transaction.
        await new Promise((resolve) => setImmediate(resolve));
        await this.#step();
      }
    } finally {
      this.#running = undefined;
    }
  }

  /** News first: they wait to be published. */
  async #step(): Promise<void> {
    const news = take(this.#news, BATCH);
    // Each try on a locked file blocks for as long as it may wait for the lock: while the store is down, only a flush tries.
    if (this.#failure === undefined || this.#due.size > 0) await this.#save(news);
    else for (const key of news) this.#touched.add(key);
    this.#options.settled(news);
  }

  async #save(news: readonly string[]): Promise<void> {
    const due = take(this.#due, BATCH - news.length);
    const touched = take(this.#touched, BATCH - news.length - due.length);
    const keys = new Set([...news, ...due, ...touched]);
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
    this.#due.clear();
    for (const key of this.#options.keys()) this.#touched.add(key);
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.flush(), this.#retryAfter).unref();
    this.#retryAfter = Math.min(this.#retryAfter * 2, LONGEST_RETRY_MS);
  }
}

/** Removes the first `count` of a set. */
function take(set: Set<string>, count: number): string[] {
  const taken: string[] = [];
  for (const key of set) {
    if (taken.length >= count) break;
    taken.push(key);
    set.delete(key);
  }
  return taken;
}
