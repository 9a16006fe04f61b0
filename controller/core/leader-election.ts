/**
 * Who holds a Lease, decided as client-go's LeaderElector does. Two clocks: a monotonic one for every decision, and the
 * wall clock only for what the record shows, so that a clock that jumps, here or at another candidate, changes nothing.
 */
import type { Timestamp } from './model.ts';

/** Milliseconds of a clock that never jumps. */
export type Monotonic = number;

/** `spec` of a `coordination.k8s.io/v1` Lease. */
export interface LeaseRecord {
  /** Empty: given up. */
  readonly holder: string;
  readonly durationSeconds: number;
  readonly acquiredAt: Timestamp;
  readonly renewedAt: Timestamp;
  readonly transitions: number;
}

/** In milliseconds; `leaseDuration` > `renewDeadline` > `retryPeriod`. */
export interface ElectionTimings {
  /** Others take the Lease when its record has not changed for so long. */
  readonly leaseDuration: number;
  /** The holder stops to be the leader when it could not renew for so long. */
  readonly renewDeadline: number;
  /** Between two attempts. */
  readonly retryPeriod: number;
}

/** What one candidate knows. */
export interface Election {
  readonly identity: string;
  readonly timings: ElectionTimings;
  /** The record as it was last seen, and since when it has been so. */
  readonly observed?: { readonly record: LeaseRecord; readonly since: Monotonic };
  /** When our newest successful write was begun. */
  readonly renewedAt?: Monotonic;
}

/** Both clocks at one moment. */
export interface Moment {
  readonly monotonic: Monotonic;
  readonly wall: Timestamp;
}

/**
 * Takes note of the record that is stored, `undefined` where there is none. Seeing the same record again proves nothing
 * of its holder, so its time goes on.
 */
export function observed(election: Election, record: LeaseRecord | undefined, now: Monotonic): Election {
  const { identity, timings, renewedAt } = election;
  if (!record) return { identity, timings };
  const isUnchanged = election.observed !== undefined && sameRecord(election.observed.record, record);
  const since = isUnchanged && election.observed ? election.observed.since : now;
  const isOurs = record.holder === identity;
  return {
    identity,
    timings,
    observed: { record, since },
    ...(isOurs && renewedAt !== undefined ? { renewedAt } : {}),
  };
}

/** The record to write now; `undefined` while another holds the Lease. */
export function claim(election: Election, { monotonic, wall }: Moment): LeaseRecord | undefined {
  const { identity, timings, observed: seen } = election;
  const ours = { holder: identity, durationSeconds: Math.ceil(timings.leaseDuration / 1000), renewedAt: wall };
  if (!seen) return { ...ours, acquiredAt: wall, transitions: 0 };
  const { holder, durationSeconds, acquiredAt, transitions } = seen.record;
  if (holder === identity) return { ...ours, acquiredAt, transitions };
  const isHeld = holder !== '' && monotonic < seen.since + durationSeconds * 1000;
  return isHeld ? undefined : { ...ours, acquiredAt: wall, transitions: transitions + 1 };
}

/**
 * Our claim was stored.
 * @param begun when the write was begun: nobody can have seen it before
 */
export function claimed(election: Election, record: LeaseRecord, begun: Monotonic): Election {
  return { ...election, observed: { record, since: begun }, renewedAt: begun };
}

/** Until when this candidate is the leader without a further write; `undefined`: it is none. */
export function leaderUntil({ renewedAt, timings }: Election): Monotonic | undefined {
  return renewedAt === undefined ? undefined : renewedAt + timings.renewDeadline;
}

/**
 * Whether this candidate is the leader. It stops to be one `leaseDuration - renewDeadline` before another could take
 * the Lease.
 */
export function isLeader(election: Election, now: Monotonic): boolean {
  const until = leaderUntil(election);
  return until !== undefined && now < until;
}

/** The record by which the holder gives up; `undefined` for another. */
export function resignation({ identity, observed: seen }: Election, wall: Timestamp): LeaseRecord | undefined {
  if (seen?.record.holder !== identity) return undefined;
  const { transitions } = seen.record;
  return { holder: '', durationSeconds: 1, acquiredAt: wall, renewedAt: wall, transitions };
}

function sameRecord(a: LeaseRecord, b: LeaseRecord): boolean {
  const isSameHolder = a.holder === b.holder && a.durationSeconds === b.durationSeconds;
  return (
    isSameHolder && a.renewedAt === b.renewedAt && a.acquiredAt === b.acquiredAt && a.transitions === b.transitions
  );
}
