/** One xDS client: a stream's whole protocol state, as a value. */
import {
  CLUSTER,
  CLUSTER_LOAD_ASSIGNMENT,
  LISTENER,
  type ResourceType,
  ROUTE_CONFIGURATION,
  type Snapshot,
  type Timestamp,
} from '../model.ts';
import { noSubscription, type Subscription } from './subscription.ts';

/**
 * Where the client stands between two snapshots. At most these four are kept, however fast the mesh changes: newer
 * ones replace `latest` while a transition is under way.
 */
export interface Transition {
  /** What the client should hold in the end; endpoints always come from it. */
  readonly latest?: Snapshot;
  /** Its clusters have been sent and are warming. */
  readonly offered?: Snapshot;
  /** Its clusters are warm: its listeners and routes are sent. */
  readonly routed?: Snapshot;
  /**
   * What listeners and routes that the client still has may refer to, besides `routed`. `Unknown` at first, because a
   * reconnecting client brings its own. Clusters are removed only when nothing can refer to them.
   */
  readonly leaving: Snapshot | 'Unknown' | 'Nothing';
}

export interface DeltaClient {
  /** Distinguishes this stream's nonces from those of another. */
  readonly stream: number;
  readonly connectedAt: Timestamp;
  readonly subscriptions: Readonly<Record<ResourceType, Subscription>>;
  readonly transition: Transition;
  readonly lastAckAt?: Timestamp;
}

/** A client that has said nothing yet. */
export function connect(stream: number, now: Timestamp): DeltaClient {
  return {
    stream,
    connectedAt: now,
    subscriptions: {
      [CLUSTER]: noSubscription(CLUSTER),
      [CLUSTER_LOAD_ASSIGNMENT]: noSubscription(CLUSTER_LOAD_ASSIGNMENT),
      [LISTENER]: noSubscription(LISTENER),
      [ROUTE_CONFIGURATION]: noSubscription(ROUTE_CONFIGURATION),
    },
    transition: { leaving: 'Unknown' },
  };
}

/** The client with one subscription replaced. */
export function withSubscription(client: DeltaClient, subscription: Subscription): DeltaClient {
  return { ...client, subscriptions: { ...client.subscriptions, [subscription.type]: subscription } };
}
