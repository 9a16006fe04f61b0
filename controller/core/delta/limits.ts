/** What one client may make us remember of one resource type. A request beyond it ends its stream. */
import type { DeltaRequest } from './discovery.ts';
import type { Subscription } from './subscription.ts';

/** Names that a client may subscribe to: more than the services of any mesh have ports. */
export const MAX_NAMES = 100_000;
/** Resources that a client may say it holds; an egress holds one for each pod too. */
export const MAX_HELD = 500_000;
/** Characters of a name or version. The longest name of ours is a cluster's: a port, and a DNS name of 253. */
export const MAX_NAME_LENGTH = 512;

/** What about this request is too much, in words for its sender; `undefined`: nothing. */
export function excessOf(subscription: Subscription, request: DeltaRequest): string | undefined {
  const { type, subscribe } = request;
  // An ACK, as most requests are.
  if (subscribe.length === 0 && request.initialVersions.size === 0) return undefined;
  if (countAfter(subscription, subscribe) > MAX_NAMES) return `more than ${MAX_NAMES} ${type} names are subscribed`;
  // Versions count in the first request only.
  const held = subscription.asked ? new Map<string, string>() : request.initialVersions;
  if (held.size > MAX_HELD) return `more than ${MAX_HELD} ${type} resources are said to be held`;
  if (![subscribe, held.keys(), held.values()].some(hasLongText)) return undefined;
  return `a ${type} name or version has more than ${MAX_NAME_LENGTH} characters`;
}

function hasLongText(texts: Iterable<string>): boolean {
  for (const text of texts) if (text.length > MAX_NAME_LENGTH) return true;
  return false;
}

/** Names subscribed after this request, at most; a name that comes twice counts once where that decides. */
function countAfter({ names }: Subscription, subscribe: readonly string[]): number {
  const most = names.size + subscribe.length;
  return most <= MAX_NAMES ? most : new Set([...names, ...subscribe]).size;
}
