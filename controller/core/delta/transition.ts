/**
 * Make before break across types, for one client that moves from one snapshot to the next:
 * 1. `offered`: its new and changed clusters, each with its endpoints right behind it on the stream.
 * 2. Wait for their ACK, which Envoy sends when all of them are warm. No cap: the egress carries the traffic.
 * 3. `routed`: listeners and routes. Wait for their ACKs, at most 5 s.
 * 4. `leaving` is over: remove the clusters that nothing can refer to any more.
 * Snapshots that come meanwhile replace `latest`. What is warm is routed before the newest is offered, so constant
 * change starves nobody.
 */
import { CLUSTER, LISTENER, type Resource, ROUTE_CONFIGURATION, type Snapshot, type Timestamp } from '../model.ts';
import { holdsExactly, nextBatch } from './batch.ts';
import type { DeltaClient, Transition } from './client.ts';
import type { ResourceCodec } from './discovery.ts';
import { isAcknowledged, isInFlight, isSubscribed, isWaiting, type Subscription } from './subscription.ts';
import { viewOf } from './view.ts';

const ROUTING_TYPES = [LISTENER, ROUTE_CONFIGURATION] as const;

/** Moves the transition on as far as what the client has acknowledged allows. */
export function advance(client: DeltaClient, codec: ResourceCodec, now: Timestamp): DeltaClient {
  let advanced = client;
  for (;;) {
    const transition = step(advanced, codec, now);
    if (transition === advanced.transition) return advanced;
    advanced = { ...advanced, transition };
  }
}

function step(client: DeltaClient, codec: ResourceCodec, now: Timestamp): Transition {
  const { transition } = client;
  const { latest, offered, routed, leaving } = transition;
  if (latest === undefined) return transition;
  if (leaving !== 'Nothing' && routed !== undefined && holdsOnlyRouted(client, codec, now)) {
    return { ...transition, leaving: 'Nothing' };
  }
  if (offered === undefined || (offered !== latest && mayOffer(client, offered, now))) {
    return { ...transition, offered: latest };
  }
  if (offered !== routed && isWarm(client, offered, now) && isRoutingDone(client, codec, now)) {
    return { ...transition, routed: offered, leaving: leavingAfter(transition) };
  }
  return transition;
}

/** Two unfinished moves at once would leave listeners and routes of more snapshots behind than we keep. */
function leavingAfter({ routed, leaving }: Transition): Transition['leaving'] {
  return leaving === 'Nothing' && routed !== undefined ? routed : 'Unknown';
}

/** The newest is offered when the last offer is routed, or when its response was given up or rejected. */
function mayOffer(client: DeltaClient, offered: Snapshot, now: Timestamp): boolean {
  if (offered === client.transition.routed) return true;
  return !isInFlight(client.subscriptions[CLUSTER], now) && !isWarm(client, offered, now);
}

/**
 * Whether listeners and routes may refer to the clusters of this snapshot: the client has acknowledged each of them, or
 * it rejects that version (then what names it is held back by itself).
 */
function isWarm(client: DeltaClient, snapshot: Snapshot, now: Timestamp): boolean {
  const clusters = client.subscriptions[CLUSTER];
  if (!clusters.asked) return mayRouteUnseen(client, now);
  for (const cluster of snapshot[CLUSTER].values()) if (!isInPlace(clusters, cluster)) return false;
  return true;
}

function isInPlace(clusters: Subscription, cluster: Resource): boolean {
  if (!isSubscribed(clusters, cluster.name)) return true;
  return isAcknowledged(clusters, cluster) || clusters.quarantine.get(cluster.name) === cluster.version;
}

/**
 * Listeners and routes without a CDS request on this stream. A client that starts asks for clusters first, and a real
 * Envoy asks for listeners only once they have arrived; so one that asks for listeners first and holds none has its
 * clusters from elsewhere, and is answered. One that holds listeners has reconnected, and may hold its CDS request back
 * while a cluster warms (envoy#9934): it keeps what it has, and its request comes soon, because endpoints are answered
 * without waiting for anything. If it does not come, the client wants no clusters from us, and is not left waiting.
 */
function mayRouteUnseen(client: DeltaClient, now: Timestamp): boolean {
  if (isSettledIn(client, now)) return true;
  const subscriptions = ROUTING_TYPES.map((type) => client.subscriptions[type]);
  return subscriptions.some(({ asked }) => asked) && !subscriptions.some(({ resumed }) => resumed);
}

/** Everything that the client wanted at the start of its stream has been asked for. */
function isSettledIn(client: DeltaClient, now: Timestamp): boolean {
  return !isWaiting(client.connectedAt, now);
}

/**
 * Whether listeners and routes of the routed snapshot are all sent, and answered or given up. A type of which nothing
 * has been sent has nothing to finish, and starts with the newest.
 */
function isRoutingDone(client: DeltaClient, codec: ResourceCodec, now: Timestamp): boolean {
  return ROUTING_TYPES.every((type) => {
    const subscription = client.subscriptions[type];
    const view = viewOf(client, type, codec);
    if (subscription.sent === 0 || view === undefined || !view.complete) return true;
    return !isInFlight(subscription, now) && nextBatch(subscription, view, now) === undefined;
  });
}

/**
 * Whether no listener or route of an older snapshot is left at the client. A type that was not asked for counts only
 * after a while: after a reconnect its first request may still be on the way, with old listeners or routes.
 */
function holdsOnlyRouted(client: DeltaClient, codec: ResourceCodec, now: Timestamp): boolean {
  return ROUTING_TYPES.every((type) => {
    const subscription = client.subscriptions[type];
    if (!subscription.asked) return isSettledIn(client, now);
    const view = viewOf(client, type, codec);
    return !isInFlight(subscription, now) && view !== undefined && holdsExactly(subscription, view);
  });
}
