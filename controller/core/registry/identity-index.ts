import type { Pod } from '../model.ts';
import type { PodIdentity } from '../pod-identity.ts';
import { NameTable } from './name-table.ts';
import { ownedAddresses } from './owned-addresses.ts';
import { addTo } from './set-map.ts';

/** `namespace/serviceAccount`. */
export type IdentityKey = string;

/** An identity that has pods. */
interface Holders {
  readonly namespace: string;
  count: number;
  /** As last asked for: the same value until it changes. */
  identity: PodIdentity | undefined;
}

/**
 * Identities of pods that have an address of their own: neither finished ones nor those on the host network. Of the pods
 * it keeps their number; they are looked at again when somebody asks.
 */
export class IdentityIndex {
  readonly #podsIn: (namespace: string) => Iterable<Pod>;
  /** By ServiceAccount. */
  readonly #holders = new NameTable<Holders>();

  /** @param podsIn the pods of a namespace as they are now */
  constructor(podsIn: (namespace: string) => Iterable<Pod>) {
    this.#podsIn = podsIn;
  }

  /**
   * A pod came, changed or went.
   * @returns the identities that changed
   */
  podChanged(before: Pod | undefined, after: Pod | undefined): readonly IdentityKey[] {
    if (textOf(before) === textOf(after)) return [];
    const changed = [...this.#count(before, -1), ...this.#count(after, 1)];
    return [...new Set(changed)];
  }

  /** Those that a pod has now. */
  *all(): Iterable<PodIdentity> {
    for (const holders of this.#holders.all()) {
      if (!holders.identity) this.#collect(holders.namespace);
      if (holders.identity) yield holders.identity;
    }
  }

  #count(pod: Pod | undefined, one: 1 | -1): readonly IdentityKey[] {
    if (!pod || ownedAddresses(pod).length === 0) return [];
    const { namespace, serviceAccount } = pod;
    const holders = this.#holders.get(namespace, serviceAccount) ?? { namespace, count: 0, identity: undefined };
    holders.count += one;
    holders.identity = undefined;
    if (holders.count === 0) this.#holders.delete(namespace, serviceAccount);
    else this.#holders.set(namespace, serviceAccount, holders);
    return [`${namespace}/${serviceAccount}`];
  }

  /** Every identity of the namespace that has changed, as each look goes through all of its pods. */
  #collect(namespace: string): void {
    const found = new Map<string, Set<string>>();
    for (const pod of this.#podsIn(namespace)) {
      for (const address of ownedAddresses(pod)) addTo(found, pod.serviceAccount, address);
    }
    for (const [serviceAccount, addresses] of found) {
      const holders = this.#holders.get(namespace, serviceAccount);
      if (holders) holders.identity ??= { namespace, serviceAccount, addresses: [...addresses].sort() };
    }
  }
}

/** What an identity takes from a pod. */
function textOf(pod: Pod | undefined): string {
  const addresses = pod ? ownedAddresses(pod) : [];
  return pod && addresses.length > 0 ? [pod.serviceAccount, ...addresses].join(' ') : '';
}
