/**
 * The incremental xDS server as a pure machine, one value per client: requests and snapshots in, responses out, one at
 * a time. It keeps no queue of responses: what to send is computed when the transport can take it.
 */

import {
  CLUSTER,
  CLUSTER_LOAD_ASSIGNMENT,
  LISTENER,
  RESOURCE_TYPES,
  type Resource,
  ROUTE_CONFIGURATION,
  type Snapshot,
  type Timestamp,
} from '../model.ts';
import { type Batch, isReconciled, nextBatch, type View } from './batch.ts';
import { type DeltaClient, withSubscription } from './client.ts';
import type { DeltaRequest, DeltaResponse, ResourceCodec } from './discovery.ts';
import { reject } from './rejection.ts';
import { forget, GIVE_UP_MS, noteAnswered, noteSent, type Subscription, subscribe } from './subscription.ts';
import { advance } from './transition.ts';
import { viewOf } from './view.ts';

/**
 * Endpoints come first because those that belong to a cluster are owed only once it is sent, and then follow it at
 * once. Else the order is that of {@link RESOURCE_TYPES}.
 */
const PUSH_ORDER = [CLUSTER_LOAD_ASSIGNMENT, CLUSTER, LISTENER, ROUTE_CONFIGURATION] as const;

/** What a transition moves in order. */
const GATED_TYPES = [CLUSTER, LISTENER, ROUTE_CONFIGURATION] as const;

/** What a request changed, and what it says to others. */
export interface Received {
  readonly client: DeltaClient;
  /** The client has acknowledged clusters. */
  readonly warmed: boolean;
  /** It has rejected a response; `quarantined` is empty while the bad resource is looked for. */
  readonly rejected?: { readonly quarantined: readonly string[]; readonly message: string };
}

/** Takes a request in. Its names always count, its ACK or NACK only with a nonce of this stream that is still open. */
export function receive(client: DeltaClient, request: DeltaRequest, now: Timestamp): Received {
  const before = client.subscriptions[request.type];
  const number = numberOf(client, request.nonce);
  const isAnswer = number !== undefined && number > before.answered && number <= before.sent;
  const named = (subscription: Subscription) => withRequested(client, subscribe(subscription, request));
  if (!isAnswer) return { client: named(before), warmed: false };
  if (request.error === undefined) {
    const acknowledged = { ...named(noteAnswered(before, number)), lastAckAt: now };
    return { client: acknowledged, warmed: request.type === CLUSTER };
  }
  const { subscription, quarantined } = reject(before, number, request.error);
  return { client: named(subscription), warmed: false, rejected: { quarantined, message: request.error } };
}

/** With clusters that the client unsubscribes from go the endpoints that followed them unasked. */
function withRequested(client: DeltaClient, after: Subscription): DeltaClient {
  const changed = withSubscription(client, after);
  const { held } = client.subscriptions[CLUSTER];
  if (after.type !== CLUSTER || after.held === held) return changed;
  const gone = [...held.keys()].filter((name) => !after.held.has(name));
  return withSubscription(changed, forget(client.subscriptions[CLUSTER_LOAD_ASSIGNMENT], gone));
}

/** Gives the client a new snapshot to move to. The same content pushes nothing. */
export function publish(client: DeltaClient, latest: Snapshot): DeltaClient {
  const { transition } = client;
  const before = transition.latest;
  if (latest === before) return client;
  if (before === undefined || !isSameButEndpoints(before, latest)) {
    return { ...client, transition: { ...transition, latest } };
  }
  // Endpoints are never gated: wherever the client stands with the one, it stands with the other.
  const { offered, routed, leaving } = transition;
  return {
    ...client,
    transition: {
      latest,
      ...(offered && { offered: offered === before ? latest : offered }),
      ...(routed && { routed: routed === before ? latest : routed }),
      leaving,
    },
  };
}

function isSameButEndpoints(before: Snapshot, after: Snapshot): boolean {
  return GATED_TYPES.every((type) => before[type] === after[type]);
}

/** The client after one response, and the response; no response: there is nothing to say now. */
export interface Next {
  readonly client: DeltaClient;
  readonly response?: DeltaResponse;
}

/** The next response. Called again until there is none; then after each request, snapshot and {@link deadline}. */
export function next(client: DeltaClient, codec: ResourceCodec, now: Timestamp): Next {
  let advanced = advance(client, codec, now);
  for (const type of PUSH_ORDER) {
    const subscription = advanced.subscriptions[type];
    const view = viewOf(advanced, type, codec);
    if (view === undefined) continue;
    const batch = nextBatch(subscription, view, now);
    if (batch !== undefined) return emit(advanced, view, { type, ...batch }, now);
    advanced = noteReconciled(advanced, subscription, view);
  }
  return { client: advanced };
}

/** When {@link next} has to be called though nothing happened: a response is given up, or the stream has settled in. */
export function deadline(client: DeltaClient, now: Timestamp): Timestamp | undefined {
  const since = RESOURCE_TYPES.map((type) => client.subscriptions[type].awaiting?.since);
  const times = [client.connectedAt, ...since].flatMap((time) => (time === undefined ? [] : [time + GIVE_UP_MS]));
  const coming = times.filter((time) => time > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}

function emit(client: DeltaClient, view: View, content: Omit<DeltaResponse, 'nonce'>, now: Timestamp): Next {
  const before = client.subscriptions[content.type];
  const sent = noteSent(before, content, now);
  // Answers to names leave all others as they were compared.
  const after = withSubscription(client, isReconciled(before, view) ? { ...sent, reconciled: view.basis } : sent);
  const response = { ...content, nonce: `${client.stream}-${sent.sent}` };
  return { client: content.type === CLUSTER ? withEndpointsOf(after, content) : after, response };
}

/**
 * Envoy warms a new cluster until its endpoints come, and warms a changed one anew without asking for them again:
 * they follow unasked. Those of a removed cluster are forgotten, if the client does not ask for them by itself.
 */
function withEndpointsOf(client: DeltaClient, batch: Batch): DeltaClient {
  const endpoints = client.subscriptions[CLUSTER_LOAD_ASSIGNMENT];
  const { latest, offered } = client.transition;
  const hasEndpoints = ({ name }: Resource): boolean =>
    [latest, offered].some((snapshot) => snapshot?.[CLUSTER_LOAD_ASSIGNMENT].has(name));
  const following = batch.resources.filter(hasEndpoints).map(({ name }) => name);
  const owed = new Set([...endpoints.owed, ...following]);
  return withSubscription(client, forget({ ...endpoints, owed }, batch.removed));
}

/** Remembers that this view left nothing to send, unless the comparison was cut short. */
function noteReconciled(client: DeltaClient, subscription: Subscription, view: View): DeltaClient {
  if (!view.complete || subscription.awaiting !== undefined || isReconciled(subscription, view)) return client;
  return withSubscription(client, { ...subscription, reconciled: view.basis });
}

function numberOf(client: DeltaClient, nonce: string): number | undefined {
  const prefix = `${client.stream}-`;
  return nonce.startsWith(prefix) ? Number(nonce.slice(prefix.length)) : undefined;
}
