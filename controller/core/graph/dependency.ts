/** Life of one dependency as pure steps from one value to the next. */
import type {
  AccessLogEntry,
  Dependency,
  Destination,
  EdgeOrigin,
  RelayReason,
  Timestamp,
  WorkloadKey,
} from '../model.ts';
import type { DependencyFlag } from '../report.ts';
import { socketAddressText } from '../socket-address.ts';

/** After this long an active dependency should not be seen on the egress any more. */
const SETTLED_AFTER_MS = 30_000;
/** How long one such connection keeps the flag. */
const PARTLY_RELAYED_MS = 10 * 60_000;
/** A sidecar acknowledges in milliseconds; this long means that something is wrong with it. */
const WARMING_SUSPECT_MS = 5_000;

/** Two of an egress's rounds of announcements. */
const REPORTED_WITHIN_MS = 120_000;

const NO_TRAFFIC = { connections: 0, requests: 0, bytesSent: 0, bytesReceived: 0, errors: 0 } as const;

/** One attributed entry. */
export interface Observation {
  readonly source: WorkloadKey;
  readonly destination: Destination;
  readonly relayReason?: RelayReason;
  readonly entry: Pick<AccessLogEntry, 'protocol' | 'startTime' | 'counters'>;
  /** When the entry came. */
  readonly receivedAt: Timestamp;
}

/** Text form of a destination: `namespace/host:port`, or `address:port` with ` (host)` where a name was used. */
export function destinationText(destination: Destination): string {
  if (destination.kind === 'Service') return `${destination.service}:${destination.port}`;
  return `${socketAddressText(destination)}${destination.host === undefined ? '' : ` (${destination.host})`}`;
}

/** What makes two observations the same dependency. */
export function dependencyKey(value: Pick<Dependency, 'source' | 'destination' | 'protocol'>): string {
  return `${value.source} ${destinationText(value.destination)} ${value.protocol}`;
}

export function firstObserved({ source, destination, relayReason, entry }: Observation): Dependency {
  return {
    source,
    destination,
    protocol: entry.protocol,
    origin: 'EgressLog',
    ...(relayReason === undefined ? { state: 'observed' } : { state: 'relayed', relayReason }),
    firstSeen: entry.startTime,
    lastSeen: entry.startTime,
    counters: entry.counters,
  };
}

/** A dependency that a sidecar was found to hold, while we have no memory of it. */
export function seeded(source: WorkloadKey, destination: Destination, at: Timestamp): Dependency {
  const origin: EdgeOrigin = 'Seed';
  const isSeed = { source, destination, protocol: 'TCP', origin, state: 'active' } as const;
  return { ...isSeed, firstSeen: at, lastSeen: at, promotedAt: at, confirmedAt: at, counters: NO_TRAFFIC };
}

/** Adds one more entry. Order-free: times are minima and maxima, counters are sums. */
export function observedAgain(dependency: Dependency, observation: Observation): Dependency {
  const { entry } = observation;
  const { startTime } = entry;
  const isLate = dependency.confirmedAt !== undefined && startTime > dependency.confirmedAt + SETTLED_AFTER_MS;
  const next: Dependency = {
    ...usedAgain(dependency, observation),
    firstSeen: Math.min(dependency.firstSeen, startTime),
    lastSeen: Math.max(dependency.lastSeen, startTime),
    counters: {
      connections: dependency.counters.connections + entry.counters.connections,
      requests: dependency.counters.requests + entry.counters.requests,
      bytesSent: dependency.counters.bytesSent + entry.counters.bytesSent,
      bytesReceived: dependency.counters.bytesReceived + entry.counters.bytesReceived,
      errors: dependency.counters.errors + entry.counters.errors,
    },
  };
  return isLate && next.state === 'active'
    ? { ...next, relayedAt: Math.max(dependency.relayedAt ?? 0, startTime) }
    : next;
}

/**
 * A relayed dependency becomes promotable by one promotable use; a promotable one never goes back (never un-learn). One
 * that was on its way out, or is out, is learned again by its next use.
 */
function usedAgain(dependency: Dependency, observation: Observation): Dependency {
  if (observation.relayReason !== undefined) return dependency;
  const isUsed = dependency.cooledAt !== undefined && isUseAfter(dependency.cooledAt, observation);
  if (dependency.state !== 'relayed' && !isUsed) return dependency;
  const { relayReason, promotedAt, confirmedAt, cooledAt, ...learnedAnew } = dependency;
  return { ...learnedAnew, state: 'observed' };
}

/**
 * Egresses tell what happened up to a round ago: of an older connection, only what comes two rounds later tells of use
 * since then.
 */
function isUseAfter(at: Timestamp, { entry, receivedAt }: Observation): boolean {
  const { connections, requests, bytesSent, bytesReceived } = entry.counters;
  const isUse = connections + requests + bytesSent + bytesReceived > 0;
  return entry.startTime > at || (isUse && receivedAt > at + REPORTED_WITHIN_MS);
}

/** It leaves the scope: no longer routed, still held until the sidecars have surely got that. */
export function cooled(dependency: Dependency, at: Timestamp): Dependency {
  return isPublished(dependency) ? { ...dependency, state: 'cooling', cooledAt: at } : dependency;
}

/** The sidecars hold it no more. */
export function expired(dependency: Dependency): Dependency {
  return dependency.state === 'cooling' ? { ...dependency, state: 'expired' } : dependency;
}

/** It is durable: publish it. */
export function promoted(dependency: Dependency, at: Timestamp): Dependency {
  return dependency.state === 'observed' ? { ...dependency, state: 'warming', promotedAt: at } : dependency;
}

/** Every connected sidecar of its workload has acknowledged the cluster. */
export function confirmed(dependency: Dependency, at: Timestamp): Dependency {
  return dependency.state === 'warming' ? { ...dependency, state: 'active', confirmedAt: at } : dependency;
}

/** Whether a scope contains it. */
export function isPublished(dependency: Dependency): boolean {
  return dependency.state === 'warming' || dependency.state === 'active';
}

/** @param sidecars whether sidecars of its workload are connected that could acknowledge it */
export function flagsOf(dependency: Dependency, now: Timestamp, sidecars: boolean): DependencyFlag[] {
  const flags: DependencyFlag[] = [];
  const { state, promotedAt, relayedAt } = dependency;
  if (state === 'active' && relayedAt !== undefined && now - relayedAt < PARTLY_RELAYED_MS) flags.push('partlyRelayed');
  if (sidecars && state === 'warming' && promotedAt !== undefined && now - promotedAt > WARMING_SUSPECT_MS) {
    flags.push('degraded');
  }
  return flags;
}
