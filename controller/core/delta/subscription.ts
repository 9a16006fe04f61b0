/**
 * What one xDS client has asked for and been given of one resource type: the state of the delta protocol as a value.
 * https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#incremental-xds
 */

import { CLUSTER, LISTENER, type Resource, type ResourceType, type Timestamp } from '../model.ts';
import type { DeltaRequest } from './discovery.ts';

/** After this long without an ACK the next response may go: Envoy drops a response for what it no longer watches. */
export const GIVE_UP_MS = 5000;

/** What we know of one resource at the client. */
export interface Held {
  /** Sent last, or told by the client. `undefined`: it rejected what we sent, or may have ignored it; nobody knows. */
  readonly version: string | undefined;
  /** Number of the response that carried it; absent for what the client told or rejected. */
  readonly sentIn?: number;
  /** That response carried nothing else, so that its rejection means this resource. */
  readonly sentAlone?: boolean;
  /** It has accepted an earlier version of it, on this stream or before. */
  readonly accepted: boolean;
}

export interface Subscription {
  readonly type: ResourceType;
  /** A request of this type has come. */
  readonly asked: boolean;
  /** Its first request told what the client holds from a former stream. */
  readonly resumed: boolean;
  readonly wildcard: boolean;
  /** The wildcard is not answered yet; it is answered even when there is nothing (else Envoy's start waits). */
  readonly wildcardOwed: boolean;
  /** Names subscribed explicitly. */
  readonly names: ReadonlySet<string>;
  readonly held: ReadonlyMap<string, Held>;
  /** Names to be answered whatever version the client holds. */
  readonly owed: ReadonlySet<string>;
  /** Number of responses sent; the newest one's number. */
  readonly sent: number;
  /** Highest number that the client has answered. */
  readonly answered: number;
  /** The newest response that is not answered. */
  readonly awaiting?: { readonly number: number; readonly since: Timestamp };
  /** Version by name of what this client rejects. It is not sent again; another version is. */
  readonly quarantine: ReadonlyMap<string, string>;
  /** What the client said when it last rejected a response. */
  readonly rejection?: string;
  /** Names of rejected responses, to be sent apart, group by group, until the bad one stands alone. */
  readonly suspects: readonly ReadonlySet<string>[];
  /** What the last comparison that found nothing to send was made against (see {@link file://./delta/batch.ts}). */
  readonly reconciled?: readonly unknown[];
}

/** A subscription that nobody has asked for yet. */
export function noSubscription(type: ResourceType): Subscription {
  return {
    type,
    asked: false,
    resumed: false,
    wildcard: false,
    wildcardOwed: false,
    names: new Set(),
    held: new Map(),
    owed: new Set(),
    sent: 0,
    answered: 0,
    quarantine: new Map(),
    suspects: [],
  };
}

/** Whether the client wants this name. */
export function isSubscribed(subscription: Subscription, name: string): boolean {
  return subscription.wildcard || subscription.names.has(name);
}

/** Whether it is among what was rejected, and is to be sent apart until the bad one is found. */
export function isSuspect(subscription: Subscription, name: string): boolean {
  return subscription.suspects.some((group) => group.has(name));
}

/** Whether the client has accepted this resource in some version: it may be older than the one sent last. */
export function isAccepted(subscription: Subscription, name: string): boolean {
  const held = subscription.held.get(name);
  if (held === undefined) return false;
  return held.accepted || (held.sentIn !== undefined && held.sentIn <= subscription.answered);
}

/** Whether the client has accepted exactly this version. */
export function isAcknowledged(subscription: Subscription, resource: Resource): boolean {
  const held = subscription.held.get(resource.name);
  if (held === undefined || held.version !== resource.version) return false;
  return held.sentIn === undefined ? held.accepted : held.sentIn <= subscription.answered;
}

/** Whether less than {@link GIVE_UP_MS} have passed. A clock that was set back ends the wait. */
export function isWaiting(since: Timestamp, now: Timestamp): boolean {
  return now >= since && now < since + GIVE_UP_MS;
}

/** Whether a response is under way and not given up, so that the next one has to wait. */
export function isInFlight(subscription: Subscription, now: Timestamp): boolean {
  return subscription.awaiting !== undefined && isWaiting(subscription.awaiting.since, now);
}

/**
 * Applies the names of a request. They count whatever the nonce is: a stale nonce says nothing about them.
 * Only CDS and LDS have a wildcard; after a reconnect Envoy also sends an empty EDS or RDS request when it watches none.
 */
export function subscribe(subscription: Subscription, request: DeltaRequest): Subscription {
  const { asked } = subscription;
  if (asked && request.subscribe.length === 0 && request.unsubscribe.length === 0) return subscription;
  const opened = asked ? subscription : open(subscription, request);
  return removeNames(addNames(opened, request.subscribe), request.unsubscribe);
}

/** The legacy wildcard is an empty *first* request; a later empty one is a plain ACK. */
function open(subscription: Subscription, request: DeltaRequest): Subscription {
  const wildcard = hasWildcard(subscription.type) && request.subscribe.length === 0;
  const told = [...request.initialVersions].map(([name, version]) => [name, { version, accepted: true }] as const);
  return {
    ...withoutReconciled(subscription),
    asked: true,
    resumed: told.length > 0,
    wildcard,
    wildcardOwed: wildcard,
    held: new Map<string, Held>([...told, ...subscription.held]),
  };
}

/** Only CDS and LDS have one. */
export function hasWildcard(type: ResourceType): boolean {
  return type === CLUSTER || type === LISTENER;
}

function isWildcard(type: ResourceType, name: string): boolean {
  return name === '*' && hasWildcard(type);
}

function addNames(subscription: Subscription, added: readonly string[]): Subscription {
  const { type } = subscription;
  const starred = added.some((name) => isWildcard(type, name));
  const explicit = added.filter((name) => !isWildcard(type, name));
  const isSuspected = explicit.some((name) => isSuspect(subscription, name));
  return {
    // Added names are owed, so they do not depend on a comparison of the rest, unless they have to be sent apart.
    ...(starred || isSuspected ? withoutReconciled(subscription) : subscription),
    wildcard: subscription.wildcard || starred,
    wildcardOwed: subscription.wildcardOwed || starred,
    names: new Set([...subscription.names, ...explicit]),
    owed: new Set([...subscription.owed, ...explicit]),
  };
}

function removeNames(subscription: Subscription, removed: readonly string[]): Subscription {
  if (removed.length === 0) return subscription;
  const starred = removed.some((name) => isWildcard(subscription.type, name));
  const wildcard = subscription.wildcard && !starred;
  const names = new Set(subscription.names);
  const owed = new Set(subscription.owed);
  for (const name of removed) {
    // The wildcard still covers the name, so the client has to be told how it stands now (xds_protocol, unsubscribing).
    if (names.delete(name) && wildcard) owed.add(name);
    else owed.delete(name);
  }
  const wildcardOwed = wildcard && subscription.wildcardOwed;
  const left = { ...withoutReconciled(subscription), wildcard, wildcardOwed, names, owed };
  return wildcard ? left : forget(left, starred ? [...left.held.keys(), ...owed] : removed);
}

/** Forgets all about these names, except those that the client still wants. */
export function forget(subscription: Subscription, names: readonly string[]): Subscription {
  const gone = new Set(names.filter((name) => !isSubscribed(subscription, name)));
  return {
    ...subscription,
    held: new Map(
      [...subscription.held].flatMap(([name, held]) => (gone.has(name) ? perhaps(subscription, name) : [[name, held]])),
    ),
    owed: without(subscription.owed, gone),
    quarantine: withoutQuarantined(subscription.quarantine, gone),
    suspects: withoutSuspects(subscription.suspects, gone),
  };
}

/**
 * A response with this name may be on its way to a client that wants it no more; but when it arrives the client may have
 * subscribed to the wildcard again. Nobody knows then whether it holds the name.
 */
function perhaps({ type, held, answered }: Subscription, name: string): [string, Held][] {
  const sent = held.get(name);
  const mayArrive = hasWildcard(type) && sent?.sentIn !== undefined && sent.sentIn > answered;
  return mayArrive ? [[name, { ...sent, version: undefined }]] : [];
}

/** Notes a response as sent. What it carries is held from now on, and no longer owed, suspected or quarantined. */
export function noteSent(
  subscription: Subscription,
  batch: { readonly resources: readonly Resource[]; readonly removed: readonly string[] },
  now: Timestamp,
): Subscription {
  const number = subscription.sent + 1;
  const sentAlone = batch.resources.length === 1;
  const held = new Map(subscription.held);
  const names = new Set([...batch.resources.map((resource) => resource.name), ...batch.removed]);
  for (const { name, version } of batch.resources) {
    held.set(name, { version, sentIn: number, sentAlone, accepted: isAccepted(subscription, name) });
  }
  for (const name of batch.removed) held.delete(name);
  return {
    ...withoutReconciled(subscription),
    wildcardOwed: false,
    held,
    owed: without(subscription.owed, names),
    sent: number,
    awaiting: { number, since: now },
    quarantine: withoutQuarantined(subscription.quarantine, names),
    suspects: withoutSuspects(subscription.suspects, names),
  };
}

function without(names: ReadonlySet<string>, removed: ReadonlySet<string>): ReadonlySet<string> {
  if (names.size === 0) return names;
  return new Set([...names].filter((name) => !removed.has(name)));
}

function withoutSuspects(groups: Subscription['suspects'], removed: ReadonlySet<string>): Subscription['suspects'] {
  if (groups.length === 0) return groups;
  return groups.map((group) => without(group, removed)).filter((group) => group.size > 0);
}

function withoutQuarantined(
  versions: Subscription['quarantine'],
  removed: ReadonlySet<string>,
): Subscription['quarantine'] {
  if (versions.size === 0) return versions;
  return new Map([...versions].filter(([name]) => !removed.has(name)));
}

/** Same subscription, to be compared anew. */
export function withoutReconciled(subscription: Subscription): Subscription {
  const { reconciled: _, ...rest } = subscription;
  return rest;
}

/**
 * Notes that the client has answered the response of this number, and so all before it: Envoy answers in order, also
 * those that we had given up.
 */
export function noteAnswered(subscription: Subscription, number: number): Subscription {
  const { awaiting, ...rest } = subscription;
  const stillAwaited = awaiting !== undefined && awaiting.number > number;
  const answered = {
    ...rest,
    answered: Math.max(subscription.answered, number),
    ...(stillAwaited && { awaiting }),
  };
  // What arrived after the client had unsubscribed from it.
  return hasWildcard(rest.type) && !rest.wildcard ? forget(answered, [...rest.held.keys()]) : answered;
}
