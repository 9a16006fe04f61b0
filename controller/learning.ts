/** From access log entries to edges: attributes them, lets those wait whose pod is not known yet, counts. */
import type { Attribution } from './core/graph/attribution.ts';
import type { DependencyGraph, Observed } from './core/graph/graph.ts';
import { WaitingRoom } from './core/graph/waiting-room.ts';
import type { AccessLogEntry, Timestamp, WorkloadKey } from './core/model.ts';
import type { Problem } from './core/ports.ts';

type Refused = Exclude<Observed, 'News' | 'Counted'>;

/** Totals since start, for metrics. */
export interface LearningCounts {
  readonly entries: { attributed: number; waiting: number; unanswered: number; dropped: number };
  edgesLearned: number;
  /** How often each limit was reached. */
  readonly limits: { WaitingEntries: number; RelayedAddresses: number; Dependencies: number };
}

export interface LearningOptions {
  readonly graph: DependencyGraph;
  /** Who called what, as far as the mesh is known now. */
  readonly attribute: (entry: AccessLogEntry) => Attribution;
  /** Whether the mesh is known completely: half of it would take services for addresses outside. */
  readonly isReady: () => boolean;
  /** A new edge, or one that became promotable. */
  readonly news: (key: string) => void;
  /** Its times and counters moved. */
  readonly touched: (key: string) => void;
  readonly problem: (problem: Problem) => void;
  readonly now: () => Timestamp;
}

export class Learning {
  readonly counts: LearningCounts = {
    entries: { attributed: 0, waiting: 0, unanswered: 0, dropped: 0 },
    edgesLearned: 0,
    limits: { WaitingEntries: 0, RelayedAddresses: 0, Dependencies: 0 },
  };
  readonly #options: LearningOptions;
  readonly #waiting = new WaitingRoom();

  constructor(options: LearningOptions) {
    this.#options = options;
  }

  take(entries: readonly AccessLogEntry[], receivedAt: Timestamp): void {
    const isReady = this.#options.isReady();
    for (const entry of entries) {
      if (!entry.answered) this.counts.entries.unanswered += 1;
      else if (!isReady || !this.#learn(entry, receivedAt)) this.#wait(entry, receivedAt);
    }
  }

  /** More of the mesh is known than before. */
  retry(): void {
    const { isReady, now, problem } = this.#options;
    if (!isReady()) return;
    for (const waiting of this.#waiting.takeAll()) {
      if (this.#learn(waiting.entry, now()) || this.#waiting.putBack(waiting, now())) continue;
      this.counts.entries.dropped += 1;
      const { address } = waiting.entry.source;
      problem({ subject: `access log entry from ${address}`, reason: 'dropped: no pod had this address then' });
    }
  }

  /** @returns `false` if the source is not known (yet) */
  #learn(entry: AccessLogEntry, receivedAt: Timestamp): boolean {
    const { graph, attribute, news, touched } = this.#options;
    const attribution = attribute(entry);
    if (attribution.kind === 'UnknownSource') return false;
    const { result, key } = graph.observe({ ...attribution, entry, receivedAt });
    if (result !== 'News' && result !== 'Counted') {
      this.#refused(attribution.source, result);
      return true;
    }
    this.counts.entries.attributed += 1;
    if (result === 'News') {
      this.counts.edgesLearned += 1;
      news(key);
    } else touched(key);
    return true;
  }

  #refused(source: WorkloadKey, result: Refused): void {
    const { entries, limits } = this.counts;
    const { graph, problem } = this.#options;
    entries.dropped += 1;
    limits[result === 'TooManyDependencies' ? 'Dependencies' : 'RelayedAddresses'] += 1;
    if (result === 'TooManyAddresses') {
      problem({ subject: source, reason: 'has 1,000 relayed addresses; further ones are not recorded' });
      return;
    }
    const reason =
      result === 'TooManyAddressesInAll'
        ? `${graph.addresses} addresses without a service are known of all workloads; further ones are not recorded`
        : `there are ${graph.size} dependencies; further ones are not learned, and their traffic stays on the egress`;
    problem({ subject: 'graph', reason });
  }

  #wait(entry: AccessLogEntry, now: Timestamp): void {
    this.counts.entries.waiting += 1;
    const left = this.#waiting.add(entry, now);
    this.counts.entries.dropped += left;
    this.counts.limits.WaitingEntries += left;
  }
}
