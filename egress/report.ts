import type { AccessLogEntry } from '../controller/core/model.ts';
import { accessLogEntry, keyText, type Observation, ReportKey } from './report-key.ts';

/** Failed dials are worth little and a scanner makes many: only so many different ones wait. */
const MAX_FAILED_KEYS = 1_000;
/** A key is forgotten once it was told in this many rounds of one stream and nothing carries it. */
const ROUNDS_TOLD = 2;

export interface ReportOptions {
  /** Node id of this egress. */
  readonly reporter: string;
  /** Keys that are held at most; beyond that the oldest is dropped and counted. */
  readonly maxKeys: number;
}

interface FailedKey {
  readonly observation: Observation;
  errors: number;
}

/**
 * What is to be told to the controller: levels, not events. A key waits here, for as long as it
 * takes, until it was told at least twice over one stream: at first sight and in the next round. So neither an absent
 * controller nor a broken stream loses an edge, and the number of entries does not grow with the number of connections.
 */
export class Report {
  /** How often each limit was reached. */
  readonly limits = { ReportKeys: 0, FailedDials: 0 };
  readonly #options: ReportOptions;
  readonly #keys = new Map<string, ReportKey>();
  /** Keys with something to tell, in the order in which it happened. */
  readonly #news = new Set<ReportKey>();
  readonly #failed = new Map<string, FailedKey>();
  #round = 0;
  #onNews: (isFirstSight: boolean) => void = () => {};

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** Keys that are held. */
  get size(): number {
    return this.#keys.size;
  }

  /** Keys that were dropped for lack of room. */
  get dropped(): number {
    return this.limits.ReportKeys + this.limits.FailedDials;
  }

  get hasNews(): boolean {
    return this.#news.size > 0 || this.#failed.size > 0;
  }

  /** Calls back whenever there is something to take; a key that was never told is a new edge, and urgent. */
  onNews(listener: (isFirstSight: boolean) => void): void {
    this.#onNews = listener;
  }

  /** A connection whose dial succeeded carries this from now on. It counts into the returned key. */
  open(observation: Observation): ReportKey {
    const text = keyText(observation);
    const known = this.#keys.get(text);
    const key = known ?? this.#add(new ReportKey(observation));
    key.opened(observation);
    this.#tell(key, known === undefined);
    return key;
  }

  /** The connection carries it no more. */
  close(key: ReportKey): void {
    key.closed();
    if (this.#keys.get(key.text) === key) this.#tell(key, false);
  }

  /** A dial failed. */
  failed(observation: Observation): void {
    const text = keyText(observation);
    const known = this.#failed.get(text);
    if (known) known.errors += 1;
    else if (this.#failed.size < MAX_FAILED_KEYS) this.#failed.set(text, { observation, errors: 1 });
    else this.limits.FailedDials += 1;
    this.#onNews(false);
  }

  /** A stream to the controller has opened: everything held is told again on it. */
  streamOpened(): void {
    for (const key of this.#keys.values()) key.forgetTold();
    this.nextRound();
  }

  /** The next round of announcements: everything held is due. */
  nextRound(): void {
    this.#round += 1;
    for (const key of this.#keys.values()) {
      key.due();
      this.#news.add(key);
    }
    if (this.hasNews) this.#onNews(false);
  }

  /** Takes entries out, about `max` of them. The caller has a stream to write them to. */
  take(max: number): AccessLogEntry[] {
    const entries = this.#takeFailed(max);
    for (const key of this.#news) {
      if (entries.length >= max) break;
      this.#news.delete(key);
      entries.push(...key.take(this.#options.reporter, this.#round));
      if (key.live === 0 && key.roundsTold >= ROUNDS_TOLD) this.#keys.delete(key.text);
    }
    return entries;
  }

  #takeFailed(max: number): AccessLogEntry[] {
    const entries: AccessLogEntry[] = [];
    for (const [text, { observation, errors }] of this.#failed) {
      if (entries.length >= max) break;
      this.#failed.delete(text);
      const counters = { connections: 0, requests: 0, bytesSent: 0, bytesReceived: 0, errors };
      const told = { phase: 'Start', reporter: this.#options.reporter, answered: false, counters } as const;
      entries.push(accessLogEntry(told, observation));
    }
    return entries;
  }

  #add(key: ReportKey): ReportKey {
    this.#keys.set(key.text, key);
    if (this.#keys.size > this.#options.maxKeys) {
      for (const oldest of this.#keys.values()) {
        this.#keys.delete(oldest.text);
        this.#news.delete(oldest);
        this.limits.ReportKeys += 1;
        break;
      }
    }
    return key;
  }

  #tell(key: ReportKey, isFirstSight: boolean): void {
    this.#news.add(key);
    this.#onNews(isFirstSight);
  }
}
