/**
 * NACKs. Envoy rejects a whole response; its message does not always name the resource, nothing or a part of the
 * response may have been applied, and it remembers no version of it.
 */
import {
  type Held,
  hasWildcard,
  isAccepted,
  isSubscribed,
  noteAnswered,
  type Subscription,
  withoutReconciled,
} from './subscription.ts';

/** What a NACK taught: the subscription after it, and the resource that is known to be bad now. */
export interface Rejected {
  readonly subscription: Subscription;
  /** Names that are quarantined from now on; empty while the bad one is still looked for. */
  readonly quarantined: readonly string[];
}

/**
 * Forgets the versions of the rejected response. A resource that was sent alone is quarantined with its version;
 * several are halved and sent apart. A resource that was sent again since is left to the answer to that response.
 */
export function reject(subscription: Subscription, number: number, message: string): Rejected {
  const isWanted = (name: string): boolean => !hasWildcard(subscription.type) || isSubscribed(subscription, name);
  const rejected = [...subscription.held].filter(([name, held]) => held.sentIn === number && isWanted(name));
  const names = rejected.map(([name]) => name);
  const answered = { ...noteAnswered(withoutVersions(subscription, names), number), rejection: message };
  const alone = rejected.find(([, held]) => held.sentAlone);
  if (alone === undefined) {
    const suspects = [...halves(names), ...subscription.suspects];
    return { subscription: { ...answered, suspects }, quarantined: [] };
  }
  const [name, { version = '' }] = alone;
  const quarantine = new Map(subscription.quarantine).set(name, version);
  return { subscription: { ...answered, quarantine }, quarantined: [name] };
}

/** Called before the NACK counts as an answer, so that the rejected version itself is no evidence of acceptance. */
function withoutVersions(subscription: Subscription, names: readonly string[]): Subscription {
  const held = new Map<string, Held>(subscription.held);
  for (const name of names) held.set(name, { version: undefined, accepted: isAccepted(subscription, name) });
  return { ...withoutReconciled(subscription), held };
}

function halves(names: readonly string[]): readonly ReadonlySet<string>[] {
  const middle = Math.ceil(names.length / 2);
  return [names.slice(0, middle), names.slice(middle)].map((half) => new Set(half)).filter((half) => half.size > 0);
}
