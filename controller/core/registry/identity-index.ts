import type { Pod } from '../model.ts';
import type { PodIdentity } from '../pod-identity.ts';
import { addTo, removeFrom } from './set-map.ts';

/** `namespace/serviceAccount`. */
export type IdentityKey = string;

interface Holder {
  readonly key: IdentityKey;
  readonly addresses: readonly string[];
}

/** Identities of pods that have an address of their own: neither finished ones nor those on the host network. */
export class IdentityIndex {
  readonly #holders = new Map<string, Holder>();
  readonly #pods = new Map<IdentityKey, Set<string>>();
  /** As last asked for: the same value until it changes. */
  readonly #identities = new Map<IdentityKey, PodIdentity>();

  /**
   * @param addresses those that the pod has now, and has for itself
   * @returns the identities that changed
   */
  apply(pod: Pod, addresses: readonly string[]): readonly IdentityKey[] {
    const name = `${pod.namespace}/${pod.name}`;
    const before = this.#holders.get(name);
    const key = `${pod.namespace}/${pod.serviceAccount}`;
    const isSame = (before?.addresses ?? []).join() === addresses.join();
    if (isSame && (!before || before.key === key)) return [];
    const left = this.delete(pod.namespace, pod.name);
    if (addresses.length === 0) return left;
    this.#identities.delete(key);
    this.#holders.set(name, { key, addresses });
    addTo(this.#pods, key, name);
    return [...new Set([...left, key])];
  }

  delete(namespace: string, name: string): readonly IdentityKey[] {
    const pod = `${namespace}/${name}`;
    const holder = this.#holders.get(pod);
    if (!holder) return [];
    this.#identities.delete(holder.key);
    this.#holders.delete(pod);
    removeFrom(this.#pods, holder.key, pod);
    return [holder.key];
  }

  /** Those that a pod has now; the same value until it changes. */
  *all(): Iterable<PodIdentity> {
    for (const [key, pods] of this.#pods) {
      const identity = this.#identities.get(key) ?? this.#collect(key, pods);
      this.#identities.set(key, identity);
      yield identity;
    }
  }

  #collect(key: IdentityKey, pods: ReadonlySet<string>): PodIdentity {
    const [namespace = '', serviceAccount = ''] = key.split('/');
    const addresses = [...pods].flatMap((pod) => this.#holders.get(pod)?.addresses ?? []);
    return { namespace, serviceAccount, addresses: [...new Set(addresses)].sort() };
  }
}
