/** Leadership by a Lease at the API server. The decisions are in {@link file://../core/leader-election.ts}. */
import { setTimeout as delay } from 'node:timers/promises';
import { LazyscopeError } from '../core/error.ts';
import {
  claim,
  claimed,
  type Election,
  type ElectionTimings,
  isLeader,
  leaderUntil,
  observed,
  resignation,
} from '../core/leader-election.ts';
import type { Leadership } from '../core/publishing.ts';
import type { ReadinessCheck } from '../core/report.ts';
import type { Cluster } from './cluster.ts';
import { LeaseObject, type StoredLease } from './lease.ts';

export interface LeaderElectionOptions {
  readonly cluster: Cluster;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** No other process has it, and a restarted one has another: the pod's name and something random. */
  readonly identity: string;
  /** {@link DEFAULT_ELECTION_TIMINGS} where not given. */
  readonly timings?: Partial<ElectionTimings>;
  /** Wall clock, `Date.now` by default: only shown to others, never believed. */
  readonly now?: () => number;
}

const DEFAULT_ELECTION_TIMINGS: ElectionTimings = {
  leaseDuration: 15_000,
  renewDeadline: 10_000,
  retryPeriod: 4_000,
};

/** Candidates that wait do so up to this much longer, by chance, so as not to ask all at once; as in client-go. */
const JITTER = 1.2;

function checked(timings: ElectionTimings): ElectionTimings {
  const { leaseDuration, renewDeadline, retryPeriod } = timings;
  if (leaseDuration > renewDeadline && renewDeadline > retryPeriod * JITTER) return timings;
  throw new LazyscopeError(
    'InvalidConfiguration',
    `Leader election: ${leaseDuration} ms of lease must exceed ${renewDeadline} ms of renew deadline, and that ${JITTER} times ${retryPeriod} ms of retry period`,
  );
}

export class LeaderElection implements Leadership {
  readonly #lease: LeaseObject;
  readonly #now: () => number;
  readonly #listeners: ((isLeader: boolean) => void)[] = [];
  readonly #stopping = new AbortController();
  #election: Election;
  #stored: StoredLease | undefined;
  #running: Promise<void> = Promise.resolve();
  #told = false;
  #deadline: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  /** @throws LazyscopeError `InvalidConfiguration` for timings that let two lead */
  constructor({ cluster, namespace, name, identity, now = Date.now, ...options }: LeaderElectionOptions) {
    const timings = checked({ ...DEFAULT_ELECTION_TIMINGS, ...options.timings });
    // As client-go: a request that hangs leaves time for another before the deadline.
    this.#lease = new LeaseObject({ cluster, namespace, name, timeout: timings.renewDeadline / 2 });
    this.#election = { identity, timings };
    this.#now = now;
  }

  /** False from the moment of `stop`, and as soon as the deadline has passed, whatever else this process is doing. */
  get isLeader(): boolean {
    return !this.#stopping.signal.aborted && isLeader(this.#election, performance.now());
  }

  onChange(listener: (isLeader: boolean) => void): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#tell();
    await this.#running;
    await this.#resign();
  }

  /** One line of `/readyz`; not to lead is no fault. */
  checks(): readonly ReadinessCheck[] {
    const holder = this.#election.observed?.record.holder || 'nobody';
    const detail = this.isLeader ? 'this process writes' : `${holder} writes`;
    const isFailing = this.#failure !== undefined;
    return [{ name: 'leader-election', ok: !isFailing, degraded: isFailing, detail: this.#failure ?? detail }];
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { retryPeriod } = this.#election.timings;
    while (!signal.aborted) {
      await this.#try();
      const wait = this.isLeader ? retryPeriod : retryPeriod * (1 + JITTER * Math.random());
      await delay(wait, undefined, { signal }).catch(() => undefined);
    }
  }

  async #try(): Promise<void> {
    try {
      // The holder knows what is stored, unless somebody touched it.
      const isRenewed = this.isLeader && (await this.#claim());
      if (!isRenewed && !this.#stopping.signal.aborted) {
        await this.#read();
        await this.#claim();
      }
      this.#failure = undefined;
    } catch (error) {
      this.#failure = LazyscopeError.from('Unavailable', 'leader election', error).message;
    }
    this.#tell();
  }

  async #read(): Promise<void> {
    this.#stored = await this.#lease.read();
    this.#election = observed(this.#election, this.#stored?.record, performance.now());
  }

  /** @returns whether the Lease is ours now */
  async #claim(): Promise<boolean> {
    const begun = performance.now();
    const record = claim(this.#election, { monotonic: begun, wall: this.#now() });
    if (!record) return false;
    const stored = await this.#lease.write(record, this.#stored);
    if (!stored) return false;
    this.#stored = stored;
    this.#election = claimed(this.#election, stored.record, begun);
    return true;
  }

  /** A Lease that could not be given up is taken when it has run out. */
  async #resign(): Promise<void> {
    if (this.#stored === undefined) return;
    try {
      await this.#read();
      const record = resignation(this.#election, this.#now());
      if (record) this.#stored = await this.#lease.write(record, this.#stored);
    } catch (error) {
      this.#failure = LazyscopeError.from('Unavailable', 'leader election', error).message;
    }
  }

  /** Calls back where that has changed, and sees to it that the deadline is told, too. */
  #tell(): void {
    clearTimeout(this.#deadline);
    const is = this.isLeader;
    const until = leaderUntil(this.#election);
    if (is && until !== undefined) {
      this.#deadline = setTimeout(() => this.#tell(), Math.max(1, Math.ceil(until - performance.now())));
    }
    if (is === this.#told) return;
    this.#told = is;
    for (const listener of this.#listeners) listener(is);
  }
}
