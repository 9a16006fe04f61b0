/** What the next response of one type carries: the difference between what a client holds and what it should hold. */
import {
  CLUSTER_LOAD_ASSIGNMENT,
  type Resource,
  type ResourceType,
  ROUTE_CONFIGURATION,
  type Timestamp,
} from '../model.ts';
import { isAccepted, isInFlight, isSubscribed, isSuspect, type Subscription } from './subscription.ts';

/** The answer to a name: a resource, that there is none, or that it cannot be told yet. */
export type Lookup = Resource | 'Absent' | 'Later';

/** What one client should hold of one type now. */
export interface View {
  /** False while only names can be answered and nothing be pushed or removed. */
  readonly complete: boolean;
  readonly entries: ReadonlyMap<string, Resource>;
  /** Answers a name that the client asked for, also beyond `entries`. */
  find(name: string): Lookup;
  /** Whether the client keeps what it holds under this name though `entries` lacks it. */
  keeps(name: string): boolean;
  /** Whether everything that this resource refers to is in place at the client. */
  isSendable(resource: Resource): boolean;
  /** What the view was made of; equal parts (by identity) make an equal view. */
  readonly basis: readonly unknown[];
}

/** Content of one response: resources or removals, never both (see {@link file://./discovery.ts}). */
export interface Batch {
  readonly resources: readonly Resource[];
  readonly removed: readonly string[];
}

/**
 * The next response, or nothing. Names that were asked for are answered at once, even while a response is in flight:
 * it may be one that Envoy drops, and a warming cluster or listener waits for the answer. All else waits its turn.
 * Removals go first: they are few, and constant additions must not starve them.
 */
export function nextBatch(subscription: Subscription, view: View, now: Timestamp): Batch | undefined {
  const mayPush = view.complete && !isInFlight(subscription, now) && !isReconciled(subscription, view);
  const answers = answersTo(subscription, view);
  const removed = new Set([...answers.removed, ...(mayPush ? goneNames(subscription, view) : [])]);
  if (removed.size > 0) return { resources: [], removed: [...removed] };
  const resources = [...answers.resources, ...(mayPush ? changedResources(subscription, view) : [])];
  if (resources.length > 0 || (mayPush && subscription.wildcardOwed)) return { resources, removed: [] };
  return mayPush ? probe(subscription, view) : undefined;
}

/** Whether this view was compared before and nothing of it was left to send. */
export function isReconciled(subscription: Subscription, view: View): boolean {
  const { reconciled } = subscription;
  return reconciled?.length === view.basis.length && view.basis.every((part, index) => part === reconciled[index]);
}

/** Whether the client holds what the view says and nothing else: nothing rejected, held back or left over. */
export function holdsExactly(subscription: Subscription, view: View): boolean {
  if (goneNames(subscription, view).length > 0) return false;
  for (const resource of subscribedResources(subscription, view.entries)) {
    if (subscription.held.get(resource.name)?.version !== resource.version) return false;
  }
  return true;
}

function answersTo(subscription: Subscription, view: View): Batch {
  const resources: Resource[] = [];
  const removed: string[] = [];
  for (const name of subscription.owed) {
    const found = view.find(name);
    if (found === 'Later') continue;
    if (found === 'Absent' || isQuarantined(subscription, found)) {
      if (mayAnswerAbsent(subscription, name)) removed.push(name);
    } else if (!isSuspect(subscription, name)) resources.push(found);
  }
  return { resources, removed };
}

/**
 * A quarantined resource is answered as absent, which ends warming. Envoy keeps the endpoints and routes that it has
 * then, but would delete an older cluster or listener: that one stays, without an answer.
 */
function mayAnswerAbsent(subscription: Subscription, name: string): boolean {
  const { type, quarantine } = subscription;
  return !quarantine.has(name) || keepsOnRemoval(type) || !isAccepted(subscription, name);
}

function keepsOnRemoval(type: ResourceType): boolean {
  return type === CLUSTER_LOAD_ASSIGNMENT || type === ROUTE_CONFIGURATION;
}

function goneNames(subscription: Subscription, view: View): readonly string[] {
  const { entries } = view;
  return [...subscription.held.keys()].filter(
    (name) => !entries.has(name) && isSubscribed(subscription, name) && !view.keeps(name),
  );
}

function changedResources(subscription: Subscription, view: View): readonly Resource[] {
  const changed: Resource[] = [];
  for (const resource of subscribedResources(subscription, view.entries)) {
    if (!isNeeded(subscription, resource) || !view.isSendable(resource)) continue;
    if (!subscription.owed.has(resource.name) && !isSuspect(subscription, resource.name)) changed.push(resource);
  }
  return changed;
}

/** The first group of suspects that still has something to send, alone. */
function probe(subscription: Subscription, view: View): Batch | undefined {
  for (const group of subscription.suspects) {
    const resources = [...group].map((name) => suspectResource(subscription, view, name));
    const needed = resources.filter((resource) => resource !== undefined);
    if (needed.length > 0) return { resources: needed, removed: [] };
  }
  return undefined;
}

function suspectResource(subscription: Subscription, view: View, name: string): Resource | undefined {
  if (!isSubscribed(subscription, name) && !subscription.owed.has(name)) return undefined;
  const found = view.find(name);
  if (found === 'Absent' || found === 'Later') return undefined;
  return isNeeded(subscription, found) ? found : undefined;
}

/** No generator: of a wildcard that would be a step for each resource of the mesh. */
function subscribedResources(
  { wildcard, names }: Subscription,
  entries: ReadonlyMap<string, Resource>,
): Iterable<Resource> {
  if (wildcard) return entries.values();
  const subscribed: Resource[] = [];
  for (const name of names) {
    const resource = entries.get(name);
    if (resource !== undefined) subscribed.push(resource);
  }
  return subscribed;
}

function isNeeded(subscription: Subscription, resource: Resource): boolean {
  return subscription.held.get(resource.name)?.version !== resource.version && !isQuarantined(subscription, resource);
}

function isQuarantined(subscription: Subscription, resource: Resource): boolean {
  return subscription.quarantine.get(resource.name) === resource.version;
}
