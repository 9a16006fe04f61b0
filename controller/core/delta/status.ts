/** How one xDS client stands, for status and reports. */
import { CLUSTER, type NodeIdentity, RESOURCE_TYPES } from '../model.ts';
import type { ClientStatus } from '../ports.ts';
import { isRelayedVersion } from '../snapshot/resource-encoder.ts';
import type { DeltaClient } from './client.ts';
import { type Held, isAccepted, isAcknowledged, type Subscription } from './subscription.ts';

/** Status of a client whose responses are all sent (`next` gave none). */
export function statusOf(client: DeltaClient, node: NodeIdentity): ClientStatus {
  const rejected = rejectedBy(client);
  return {
    node,
    stream: client.stream,
    connectedAt: client.connectedAt,
    synced: isSynced(client),
    clusters: countServiceClusters(client.subscriptions[CLUSTER]),
    ...(client.lastAckAt !== undefined && { lastAckAt: client.lastAckAt }),
    ...(rejected && { rejected }),
  };
}

/** Names of the learned clusters that are warm at the client, in the version that it should hold. */
export function warmClusters(client: DeltaClient): ReadonlySet<string> {
  const clusters = client.subscriptions[CLUSTER];
  const latest = client.transition.latest?.[CLUSTER];
  const isCurrent = (name: string): boolean => {
    const wanted = latest?.get(name);
    return wanted === undefined ? isAccepted(clusters, name) : isAcknowledged(clusters, wanted);
  };
  const isLearned = ({ version }: Held): boolean => version === undefined || !isRelayedVersion(version);
  return new Set([...clusters.held].flatMap(([name, held]) => (isLearned(held) && isCurrent(name) ? [name] : [])));
}

function isSynced(client: DeltaClient): boolean {
  const { latest, routed } = client.transition;
  return (
    latest !== undefined && routed === latest && RESOURCE_TYPES.every((type) => isQuiet(client.subscriptions[type]))
  );
}

function isQuiet({ awaiting, owed, wildcardOwed, suspects }: Subscription): boolean {
  return awaiting === undefined && owed.size === 0 && !wildcardOwed && suspects.length === 0;
}

function countServiceClusters(clusters: Subscription): number {
  let count = 0;
  for (const name of clusters.held.keys()) {
    if (name.startsWith('outbound|') && isAccepted(clusters, name)) count += 1;
  }
  return count;
}

function rejectedBy(client: DeltaClient): ClientStatus['rejected'] {
  for (const type of RESOURCE_TYPES) {
    const { quarantine, rejection } = client.subscriptions[type];
    if (quarantine.size > 0) return { type, resources: [...quarantine.keys()].sort(), message: rejection ?? '' };
  }
  return undefined;
}
