/** What a client should hold of each type at this point of its transition. */
import {
  CLUSTER,
  CLUSTER_LOAD_ASSIGNMENT,
  LISTENER,
  type Resource,
  type ResourceType,
  ROUTE_CONFIGURATION,
  type Snapshot,
} from '../model.ts';
import type { Lookup, View } from './batch.ts';
import type { DeltaClient, Transition } from './client.ts';
import type { ResourceCodec } from './discovery.ts';
import { isAccepted, isSubscribed, type Subscription } from './subscription.ts';

const NOTHING: ReadonlyMap<string, Resource> = new Map();

/** The view of one type, or nothing while no snapshot is known: silence is harmless, an empty world is an outage. */
export function viewOf(client: DeltaClient, type: ResourceType, codec: ResourceCodec): View | undefined {
  const { latest, offered, routed } = client.transition;
  if (latest === undefined) return undefined;
  if (type === CLUSTER) return offered && clusterView(client, offered);
  if (type === CLUSTER_LOAD_ASSIGNMENT) return endpointView(client, latest);
  return routed === undefined ? unroutedView(client, type, latest, codec) : routedView(client, type, routed, codec);
}

/**
 * Clusters are added from the offered snapshot and stay as long as a listener or route may refer to them. To those that
 * the client never accepted none does, and one that rejects everything or never answers must not pile them up.
 */
function clusterView(client: DeltaClient, offered: Snapshot): View {
  const { transition } = client;
  const { leaving, routed, latest } = transition;
  const clusters = client.subscriptions[CLUSTER];
  const isLeaving = (name: string): boolean => leaving === 'Unknown' || isIn(leaving, name);
  return {
    complete: true,
    entries: offered[CLUSTER],
    find: (name) => newest(transition, CLUSTER, name, offered),
    keeps: (name) => isIn(routed, name) || isIn(latest, name) || (isAccepted(clusters, name) && isLeaving(name)),
    isSendable: () => true,
    basis: [offered, leaving, routed, latest].map(clustersOf),
  };
}

function clustersOf(snapshot: Snapshot | Transition['leaving'] | undefined): unknown {
  return typeof snapshot === 'object' ? snapshot[CLUSTER] : snapshot;
}

/**
 * Endpoints are never gated. Those of a cluster that is on its way out stay as they are until the client has let it go:
 * it then unsubscribes by itself, or is told that they are gone too.
 */
function endpointView(client: DeltaClient, latest: Snapshot): View {
  const clusters = client.subscriptions[CLUSTER];
  const entries = latest[CLUSTER_LOAD_ASSIGNMENT];
  const keeps = (name: string): boolean => clusters.held.has(name) || clusters.awaiting !== undefined;
  return {
    complete: true,
    entries,
    find: (name) => {
      if (!keeps(name)) return entries.get(name) ?? 'Absent';
      return newest(client.transition, CLUSTER_LOAD_ASSIGNMENT, name, latest);
    },
    keeps,
    isSendable: () => true,
    basis: [entries, clusters.held, clusters.awaiting],
  };
}

/**
 * While it is not known whether the client has the clusters, a listener or route that it already holds unchanged is
 * confirmed, and a route that exists nowhere is answered; both refer to nothing new.
 */
function unroutedView(client: DeltaClient, type: ResourceType, latest: Snapshot, codec: ResourceCodec): View {
  const subscription = client.subscriptions[type];
  const find = (name: string): Lookup => {
    const resource = latest[type].get(name);
    if (resource === undefined) return missing(subscription, name, codec);
    return subscription.held.get(name)?.version === resource.version ? resource : 'Later';
  };
  return { complete: false, entries: NOTHING, find, keeps: () => true, isSendable: () => true, basis: [latest] };
}

function routedView(client: DeltaClient, type: ResourceType, routed: Snapshot, codec: ResourceCodec): View {
  const subscription = client.subscriptions[type];
  const isSendable = sendableTo(client, routed, codec);
  return {
    complete: true,
    entries: routed[type],
    find: (name) => {
      const resource = routed[type].get(name);
      if (resource === undefined) return missing(subscription, name, codec);
      return isSendable(resource) ? resource : 'Later';
    },
    keeps: (name) => type === ROUTE_CONFIGURATION && isEmptyRoute(subscription, name, codec),
    isSendable,
    basis: [
      routed[type],
      routed[CLUSTER],
      client.subscriptions[CLUSTER],
      client.subscriptions[ROUTE_CONFIGURATION].held,
    ],
  };
}

/**
 * Envoy ignores `removed_resources` for RDS and its listener would go on warming, so an unknown name gets an empty
 * configuration (as istiod does). One that it held before and that is gone is told as removed: connections of the
 * listener that drains with it keep their routes.
 */
function missing(subscription: Subscription, name: string, codec: ResourceCodec): Lookup {
  if (subscription.type !== ROUTE_CONFIGURATION) return 'Absent';
  const holdsReal = subscription.held.has(name) && !isEmptyRoute(subscription, name, codec);
  return holdsReal ? 'Absent' : codec.emptyRoute(name);
}

function isEmptyRoute(subscription: Subscription, name: string, codec: ResourceCodec): boolean {
  return subscription.held.get(name)?.version === codec.emptyRoute(name).version;
}

/**
 * A listener or route may go when the client has every cluster that it names and that it wants from us. All those of a
 * routed snapshot are warm, except what the client rejects: only then the bytes are read.
 */
function sendableTo(client: DeltaClient, routed: Snapshot, codec: ResourceCodec): (resource: Resource) => boolean {
  const routes = client.subscriptions[ROUTE_CONFIGURATION];
  let known: ReadonlySet<string> | undefined;
  const lacking = (): ReadonlySet<string> => {
    known ??= lackingClusters(client, routed);
    return known;
  };
  const hasAll = (names: ReadonlySet<string>): boolean => ![...names].some((name) => lacking().has(name));
  const isRouteInPlace = (name: string): boolean => {
    const route = routed[ROUTE_CONFIGURATION].get(name);
    return route === undefined || isAccepted(routes, name) || hasAll(codec.references(route).clusters);
  };
  return (resource) => {
    if (lacking().size === 0) return true;
    const references = codec.references(resource);
    if (!hasAll(references.clusters)) return false;
    return resource.type !== LISTENER || [...references.routes].every(isRouteInPlace);
  };
}

function lackingClusters(client: DeltaClient, routed: Snapshot): ReadonlySet<string> {
  const clusters = client.subscriptions[CLUSTER];
  if (!clusters.asked) return new Set();
  const isLacking = (name: string): boolean => isSubscribed(clusters, name) && !isAccepted(clusters, name);
  return new Set([...routed[CLUSTER].keys()].filter(isLacking));
}

/** The resource of this name, from the given snapshot or else from an older one that the client still uses. */
function newest(transition: Transition, type: ResourceType, name: string, first: Snapshot): Lookup {
  const { offered, routed, leaving } = transition;
  const older = typeof leaving === 'string' ? undefined : leaving;
  for (const snapshot of [first, offered, routed, older]) {
    const resource = snapshot?.[type].get(name);
    if (resource !== undefined) return resource;
  }
  return 'Absent';
}

function isIn(snapshot: Snapshot | undefined | 'Nothing', name: string): boolean {
  return snapshot !== undefined && snapshot !== 'Nothing' && snapshot[CLUSTER].has(name);
}
