/** Carries out what the pipeline wants written, in bursts, as long as this process is the leader. */
import type {
  ArrivalProbe,
  Leadership,
  ManifestWriter,
  PublicationSource,
  PublishableWrite,
} from '../core/publishing.ts';

/** Writes of one burst that are under way at once. */
const PARALLEL = 8;
/** Quiet after each burst, so that istiod, which waits for 100 ms of it, pushes. */
const PAUSE_MS = 1_000;
/** Between two questions to a probe that cannot tell. */
const ASK_AGAIN_MS = 5_000;
/** A timer cannot be set further than this (Node: 2^31 - 1 ms). */
const LONGEST_SLEEP_MS = 60 * 60_000;

/** Totals since start, for metrics. */
export interface PublisherCounts {
  bursts: number;
  written: number;
  failed: number;
  /** Questions to the probe: whether what was written has arrived. */
  readonly confirmations: { told: number; failed: number };
}

export interface PublisherOptions {
  readonly source: PublicationSource;
  readonly writer: ManifestWriter;
  readonly leadership: Leadership;
  /** Without one, writes have arrived when the promotion delay is over. */
  readonly probe?: ArrivalProbe;
  /** The probe could not tell; it is asked again as long as somebody waits. */
  readonly onUnconfirmed: (error: unknown) => void;
  readonly now: () => number;
}

export class Publisher {
  readonly counts: PublisherCounts = { bursts: 0, written: 0, failed: 0, confirmations: { told: 0, failed: 0 } };
  readonly #options: PublisherOptions;
  #timer: NodeJS.Timeout | undefined;
  #burst: Promise<void> | undefined;
  /** Confirmations under way. */
  #asking = 0;
  #askAgain: NodeJS.Timeout | undefined;
  #pausedUntil = 0;
  #isStopped = false;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  start(): void {
    const { source, leadership } = this.#options;
    source.onDue(() => this.#schedule());
    leadership.onChange(() => this.#schedule());
    leadership.start();
    this.#schedule();
  }

  /** Lets the burst that is under way end, and gives the Lease up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#askAgain);
    await this.#burst;
    await this.#options.leadership.stop();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isStopped || this.#burst || !this.#options.leadership.isLeader) return;
    const now = this.#options.now();
    const at = Math.max(this.#options.source.nextWriteAt, this.#pausedUntil);
    if (at === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#begin(), Math.min(Math.max(at - now, 0), LONGEST_SLEEP_MS));
  }

  #begin(): void {
    this.#burst = this.#writeDue().finally(() => {
      this.#burst = undefined;
      this.#schedule();
    });
  }

  async #writeDue(): Promise<void> {
    const { source, now } = this.#options;
    const writes = source.dueWrites(now());
    if (writes.length > 0) {
      this.counts.bursts += 1;
      await this.#writeInOrder(writes.filter(({ workload }) => workload === undefined));
      const ofWorkloads = writes.filter(({ workload }) => workload !== undefined);
      await Promise.all(Array.from({ length: PARALLEL }, () => this.#writeNext(ofWorkloads)));
      this.#pausedUntil = now() + PAUSE_MS;
      void this.#confirm();
    } else if (source.awaitsArrival && !this.#isAsking) void this.#confirm();
  }

  /** What follows a failed one is not written: it counts on it. */
  async #writeInOrder(writes: readonly PublishableWrite[]): Promise<void> {
    const { source, now } = this.#options;
    let isWritten = true;
    for (const write of writes) {
      if (isWritten) isWritten = await this.#write(write);
      else source.failed(write, undefined, now());
    }
  }

  /** Takes one write after the other. */
  async #writeNext(writes: PublishableWrite[]): Promise<void> {
    for (let write = writes.pop(); write; write = writes.pop()) await this.#write(write);
  }

  /** @returns whether the API server has it */
  async #write(write: PublishableWrite): Promise<boolean> {
    const { source, writer, leadership, now } = this.#options;
    // Whoever holds the Lease now has planned the same; this one is planned again if it ever leads again.
    if (!leadership.isLeader) {
      source.failed(write, undefined, now());
      return false;
    }
    try {
      await writer.write(write.write);
      this.counts.written += 1;
    } catch (error) {
      this.counts.failed += 1;
      source.failed(write, error, now());
      return false;
    }
    source.written(write, now());
    return true;
  }

  get #isAsking(): boolean {
    return this.#asking > 0 || this.#askAgain !== undefined;
  }

  /** Asks the probe; where it cannot tell and somebody waits, again after a while. */
  async #confirm(): Promise<void> {
    const { probe, source, leadership, now, onUnconfirmed } = this.#options;
    if (!probe || this.#isStopped || !leadership.isLeader) return;
    clearTimeout(this.#askAgain);
    this.#askAgain = undefined;
    this.#asking += 1;
    const asOf = now();
    try {
      await probe.confirm();
      this.counts.confirmations.told += 1;
      source.arrived(asOf, now());
    } catch (error) {
      this.counts.confirmations.failed += 1;
      if (this.#isStopped) return;
      onUnconfirmed(error);
      this.#askAgain ??= setTimeout(() => {
        this.#askAgain = undefined;
        if (source.awaitsArrival) void this.#confirm();
      }, ASK_AGAIN_MS);
    } finally {
      this.#asking -= 1;
    }
  }
}
