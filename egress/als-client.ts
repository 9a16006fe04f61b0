import { type Client, type ClientWritableStream, Metadata } from '@grpc/grpc-js';
import { encodeAccessLogs, encodeIdentifier, encodeRefusals } from '../controller/wire/access-log.ts';
import { AccessLogService } from '../controller/wire/grpc.ts';
import { ControllerStream, type OpenStream } from './controller-stream.ts';
import type { RefusalTally } from './refusal-tally.ts';
import type { Report } from './report.ts';

/** Entries of one message, at most: a batch is encoded in a few milliseconds. */
const BATCH_ENTRIES = 250;
/** A key that was never told waits this long for others: until it is told, every request of its kind crosses us. */
const FIRST_SIGHT_DELAY_MS = 1;
/** Everything else only counts, and waits this long for more of it. */
const BATCH_DELAY_MS = 50;
/** Between the batches of a long round, so that the relay is not held up. */
const NEXT_BATCH_DELAY_MS = 5;
/** How long the last entries get at the end. */
const FINISH_MS = 1_000;
/** How often refusals are told, where there are any. */
const REFUSALS_INTERVAL_MS = 5_000;

export interface AlsClientOptions {
  readonly client: Client;
  readonly nodeId: string;
  readonly report: Report;
  readonly refusals: RefusalTally;
  /** Time between two rounds of announcements. */
  readonly intervalMs: number;
  readonly onChange: (isOpen: boolean, reason: string) => void;
  /** Told how many entries were written. */
  readonly onWritten?: (entries: number) => void;
}

/**
 * Tells the report to the controller. Entries are made only when the stream takes them, so what cannot be written yet
 * stays in the {@link Report}, which is bounded and merges it with what follows.
 */
export class AlsClient {
  readonly #options: AlsClientOptions;
  readonly #stream: ControllerStream;
  #call: ClientWritableStream<Buffer> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** What the running timer was set to. */
  #delay = 0;
  #rounds: NodeJS.Timeout | undefined;
  #refusals: NodeJS.Timeout | undefined;
  #isBlocked = false;

  constructor(options: AlsClientOptions) {
    this.#options = options;
    const { client, onChange } = options;
    this.#stream = new ControllerStream({ client, open: (ended) => this.#open(ended), onChange });
  }

  start(): void {
    this.#options.report.onNews((isFirstSight) => this.#schedule(isFirstSight ? FIRST_SIGHT_DELAY_MS : BATCH_DELAY_MS));
    this.#rounds = setInterval(() => this.#nextRound(), this.#options.intervalMs);
    this.#refusals = setInterval(() => this.#tellRefusals(), REFUSALS_INTERVAL_MS);
    this.#stream.start();
  }

  /** Writes what there is to tell, as far as the controller takes it within a second, and ends. */
  async finish(): Promise<void> {
    clearInterval(this.#rounds);
    clearInterval(this.#refusals);
    const call = this.#call;
    if (call) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, FINISH_MS);
      call.once('status', () => resolve());
      while (this.#call && this.#options.report.hasNews) this.#writeBatch(call);
      call.end();
      await promise;
      clearTimeout(timer);
    }
    this.#stream.stop();
    clearTimeout(this.#timer);
  }

  #open(ended: (reason: string) => void): OpenStream {
    const { path, requestSerialize, responseDeserialize } = AccessLogService.StreamAccessLogs;
    const over = (reason: string): void => {
      if (this.#call === call) this.#call = undefined;
      ended(reason);
    };
    const call: ClientWritableStream<Buffer> = this.#options.client.makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      new Metadata(),
      (error) => over(error ? error.message : 'the controller ended the stream'),
    );
    call.on('error', (error) => over(error.message));
    call.on('drain', () => {
      this.#isBlocked = false;
      this.#schedule(0);
    });
    this.#call = call;
    this.#isBlocked = !call.write(Buffer.from(encodeIdentifier(this.#options.nodeId)));
    this.#options.report.streamOpened();
    return { cancel: () => call.cancel() };
  }

  /** Without a stream nothing can be told, so no round passes. */
  #nextRound(): void {
    if (this.#call) this.#options.report.nextRound();
  }

  /** How things stand now, so what could not be told in its time is dropped. */
  #tellRefusals(): void {
    const counts = this.#options.refusals.take();
    if (counts.size > 0 && !this.#isBlocked) this.#call?.write(Buffer.from(encodeRefusals(counts)));
  }

  #schedule(delay: number): void {
    if (this.#isBlocked || !this.#call || (this.#timer !== undefined && this.#delay <= delay)) return;
    clearTimeout(this.#timer);
    this.#delay = delay;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#call || this.#isBlocked) return;
      this.#writeBatch(this.#call);
      if (this.#options.report.hasNews) this.#schedule(NEXT_BATCH_DELAY_MS);
    }, delay);
  }

  #writeBatch(call: ClientWritableStream<Buffer>): void {
    const entries = this.#options.report.take(BATCH_ENTRIES);
    for (const message of encodeAccessLogs(entries)) {
      // One batch may exceed what the stream wants; the next waits for `drain`.
      if (!call.write(Buffer.from(message))) this.#isBlocked = true;
    }
    this.#options.onWritten?.(entries.length);
  }
}
