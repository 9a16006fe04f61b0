import type { Traffic } from './metrics.ts';
import type { ByteCounters } from './pipe.ts';
import type { Report } from './report.ts';
import { keyText, type Observation, type ReportKey } from './report-key.ts';
import type { Sight } from './route.ts';

/** Keys that one connection carries at most, so that a client that varies its Host does not fill the report. */
const MAX_KEYS_PER_CONNECTION = 64;

/** What one connection reports: a key for each thing that it was seen to be, the newest of which is counted into. */
export class ConnectionReport {
  readonly #report: Report;
  readonly #traffic: Traffic;
  readonly #observation: Omit<Observation, 'sight'>;
  readonly #keys = new Map<string, ReportKey>();
  #current: ReportKey | undefined;

  /** @param traffic counted besides the report */
  constructor(report: Report, traffic: Traffic, observation: Omit<Observation, 'sight'>) {
    this.#report = report;
    this.#traffic = traffic;
    this.#observation = observation;
  }

  /** Where requests and bytes are counted now; none before the first {@link see}. */
  get current(): ReportKey | undefined {
    return this.#current;
  }

  /**
   * The connection, on an upstream that answers, was seen to be this.
   * @param uncounted bytes that passed before anything was known
   */
  see(sight: Sight, uncounted: ByteCounters): ReportKey {
    const text = keyText(this.#observe(sight));
    const isFirst = this.#current === undefined;
    const key = this.#keys.get(text) ?? this.#open(text, sight);
    this.#current = key;
    if (isFirst) {
      key.bytesSent += uncounted.bytesSent;
      key.bytesReceived += uncounted.bytesReceived;
    }
    return key;
  }

  /** An HTTP/1 request has passed. */
  countRequest(): void {
    this.#traffic.requests += 1;
    if (this.#current) this.#current.requests += 1;
  }

  /** The upstream has failed. */
  countError(): void {
    if (this.#current) this.#current.errors += 1;
  }

  /** No upstream could be reached. */
  failed(sight: Sight): void {
    this.#report.failed(this.#observe(sight));
  }

  /** The connection has closed. */
  close(): void {
    for (const key of this.#keys.values()) this.#report.close(key);
    this.#keys.clear();
  }

  #observe(sight: Sight): Observation {
    return { ...this.#observation, sight };
  }

  #open(text: string, sight: Sight): ReportKey {
    const key = this.#report.open(this.#observe(sight));
    this.#keys.set(text, key);
    if (this.#keys.size > MAX_KEYS_PER_CONNECTION) {
      for (const [oldest, oldestKey] of this.#keys) {
        this.#keys.delete(oldest);
        this.#report.close(oldestKey);
        this.#traffic.keysCut += 1;
        break;
      }
    }
    return key;
  }
}
