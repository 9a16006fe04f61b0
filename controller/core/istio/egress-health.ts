/** Whether lazy workloads can count on an egress. Pure: times come from outside. */
import type { Timestamp } from '../model.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Without an egress, or with one that turns callers away, for this long: everybody goes back to eager. */
const PATIENCE_MS = 30_000;
/** This many refused connections within {@link PATIENCE_MS} are too many. */
const MOST_REFUSALS = 300;
/** Refusals end when everybody is eager, so their end proves nothing: only then is it tried again. */
const RETRY_AFTER_REFUSALS_MS = 10 * 60_000;
/** An egress that came back must stay for this long. */
const STEADY_MS = 10_000;

export class EgressHealth {
  #isReady = false;
  /** When {@link #isReady} became what it is. */
  #since: Timestamp;
  #isDown = false;
  #refusals: { readonly count: number; readonly at: Timestamp }[] = [];
  #refusesUntil: Timestamp | undefined;

  /** @param at from when an egress is waited for */
  constructor(at: Timestamp) {
    this.#since = at;
  }

  /** @param isReady whether some egress is connected to us, and an endpoint of its Service */
  ready(isReady: boolean, at: Timestamp): void {
    if (isReady === this.#isReady) return;
    this.#isReady = isReady;
    this.#since = at;
  }

  /** An egress has turned callers away. */
  refused(count: number, at: Timestamp): void {
    this.#refusals.push({ count, at });
    this.#refusals = this.#refusals.filter((one) => one.at > at - PATIENCE_MS);
    const total = this.#refusals.reduce((sum, one) => sum + one.count, 0);
    if (total >= MOST_REFUSALS) this.#refusesUntil = at + RETRY_AFTER_REFUSALS_MS;
  }

  /**
   * Why nobody may be lazy now.
   * @param isNew for a workload that is eager still: it does not even begin without an egress
   */
  refusal(now: Timestamp, isNew: boolean): Refusal | undefined {
    this.#settle(now);
    if (this.#isDown || (isNew && !this.#isReady)) {
      return refusal('EgressDown', 'no egress is connected and ready: look at the pods of lazyscope-egress');
    }
    if (this.#refusesUntil === undefined) return undefined;
    const why = `egresses refused ${MOST_REFUSALS} connections within ${PATIENCE_MS / 1_000} s`;
    const what = 'see lazyscope_egress_refused_total for the reasons; add replicas or raise their limits';
    return refusal('EgressRefuses', `${why}: ${what}`);
  }

  /** When the answer of {@link refusal} may change by itself; infinite: it does not. */
  get nextAt(): Timestamp {
    const change = this.#isReady ? (this.#isDown ? this.#since + STEADY_MS : undefined) : this.#whenDown();
    return Math.min(change ?? Number.POSITIVE_INFINITY, this.#refusesUntil ?? Number.POSITIVE_INFINITY);
  }

  #whenDown(): Timestamp | undefined {
    return this.#isDown ? undefined : this.#since + PATIENCE_MS;
  }

  #settle(now: Timestamp): void {
    const lasted = now - this.#since;
    if (!this.#isReady && lasted >= PATIENCE_MS) this.#isDown = true;
    if (this.#isReady && lasted >= STEADY_MS) this.#isDown = false;
    if (this.#refusesUntil !== undefined && now >= this.#refusesUntil) this.#refusesUntil = undefined;
  }
}
