import type { AccessLogEntry, SocketAddress, Timestamp, TrafficCounters } from '../controller/core/model.ts';
import type { Sight } from './route.ts';

/** What a report is about, as one connection shows it. */
export interface Observation {
  readonly source: SocketAddress;
  /** The original destination. */
  readonly destination: SocketAddress;
  readonly sight: Sight;
  /** When the connection began. */
  readonly startTime: Timestamp;
}

/** Level of an observation: the source's port and the time do not belong to it. */
export function keyText({ source, destination, sight }: Observation): string {
  const name = sight.host ?? sight.serverName ?? '';
  return `${source.address} ${destination.address} ${destination.port} ${sight.protocol} ${name}`;
}

/** Counters since the last entry, and what is still to be told. Connections count into it directly as bytes pass. */
export class ReportKey {
  requests = 0;
  bytesSent = 0;
  bytesReceived = 0;
  errors = 0;
  /** Connections that carry it now. */
  live = 0;
  /** That of the newest connection: the address may have had another owner when an older one began. */
  observation: Observation;
  readonly text: string;
  /** Rounds of the current stream in which it was told. */
  roundsTold = 0;
  #lastRound = -1;
  #started = 0;
  #ended = 0;
  #isDue = false;

  constructor(observation: Observation) {
    this.observation = observation;
    this.text = keyText(observation);
  }

  opened(observation: Observation): void {
    this.observation = observation;
    this.live += 1;
    this.#started += 1;
  }

  closed(): void {
    this.live -= 1;
    this.#ended += 1;
  }

  /** It is to be told again, whether anything happened or not. */
  due(): void {
    this.#isDue = true;
  }

  /** What was told went over a stream that has ended: nobody knows how much of it arrived. */
  forgetTold(): void {
    this.roundsTold = 0;
    this.#lastRound = -1;
  }

  /** The entries that tell all that is new; counters start again at zero. */
  take(reporter: string, round: number): AccessLogEntry[] {
    const entries: AccessLogEntry[] = [];
    if (this.#started > 0) entries.push(this.#entry('Start', reporter));
    if (this.#ended > 0) entries.push(this.#entry('End', reporter));
    if (this.#isDue && entries.length === 0) entries.push(this.#entry('Periodic', reporter));
    if (entries.length > 0 && this.#lastRound !== round) {
      this.#lastRound = round;
      this.roundsTold += 1;
    }
    this.#ended = 0;
    this.#isDue = false;
    return entries;
  }

  #entry(phase: AccessLogEntry['phase'], reporter: string): AccessLogEntry {
    return accessLogEntry({ phase, reporter, answered: true, counters: this.#takeCounters() }, this.observation);
  }

  #takeCounters(): TrafficCounters {
    const { requests, bytesSent, bytesReceived, errors } = this;
    const counters = { connections: this.#started, requests, bytesSent, bytesReceived, errors };
    this.#started = 0;
    this.requests = 0;
    this.bytesSent = 0;
    this.bytesReceived = 0;
    this.errors = 0;
    return counters;
  }
}

/** An entry about an observation. */
export function accessLogEntry(
  told: Pick<AccessLogEntry, 'phase' | 'reporter' | 'answered' | 'counters'>,
  { source, destination, sight, startTime }: Observation,
): AccessLogEntry {
  return {
    ...told,
    startTime,
    source,
    destination,
    protocol: sight.protocol,
    ...(sight.host ? { host: sight.host } : {}),
    ...(sight.serverName === undefined ? {} : { serverName: sight.serverName }),
  };
}
