import type { Pod } from '../model.ts';
import type { PodIdentity } from '../pod-identity.ts';
import { NameTable } from './name-table.ts';

/** `namespace/serviceAccount`. */
export type IdentityKey = string;

/** Those who share an identity. */
interface Group {
  readonly key: IdentityKey;
  readonly holders: Set<Holder>;
  /** As last asked for: the same value until it changes. */
  identity: PodIdentity | undefined;
}

interface Holder {
  readonly group: Group;
  readonly addresses: readonly string[];
}

/** Identities of pods that have an address of their own: neither finished ones nor those on the host network. */
export class IdentityIndex {
  /** By the pods' names. */
  readonly #holders = new NameTable<Holder>();
  readonly #groups = new Map<IdentityKey, Group>();

  /**
   * @param addresses those that the pod has now, and has for itself
   * @returns the identities that changed
   */
  apply(pod: Pod, addresses: readonly string[]): readonly IdentityKey[] {
    const before = this.#holders.get(pod.namespace, pod.name);
    const key = `${pod.namespace}/${pod.serviceAccount}`;
    const isSame = (before?.addresses ?? []).join() === addresses.join();
    if (isSame && (!before || before.group.key === key)) return [];
    const left = this.delete(pod.namespace, pod.name);
    if (addresses.length === 0) return left;
    const group = this.#groups.get(key) ?? { key, holders: new Set<Holder>(), identity: undefined };
    const holder: Holder = { group, addresses };
    this.#groups.set(key, group);
    this.#holders.set(pod.namespace, pod.name, holder);
    group.holders.add(holder);
    group.identity = undefined;
    return [...new Set([...left, key])];
  }

  delete(namespace: string, name: string): readonly IdentityKey[] {
    const holder = this.#holders.delete(namespace, name);
    if (!holder) return [];
    const { group } = holder;
    group.identity = undefined;
    group.holders.delete(holder);
    if (group.holders.size === 0) this.#groups.delete(group.key);
    return [group.key];
  }

  /** Those that a pod has now; the same value until it changes. */
  *all(): Iterable<PodIdentity> {
    for (const group of this.#groups.values()) {
      group.identity ??= identityOf(group);
      yield group.identity;
    }
  }
}

function identityOf({ key, holders }: Group): PodIdentity {
  const [namespace = '', serviceAccount = ''] = key.split('/');
  const addresses = [...holders].flatMap((holder) => holder.addresses);
  return { namespace, serviceAccount, addresses: [...new Set(addresses)].sort() };
}
