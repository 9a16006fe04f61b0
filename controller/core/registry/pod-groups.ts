import type { KnownPod } from './known-pod.ts';

/**
 * Pods by what they have in common, such as their workload. Each group is a list, in which a pod takes half of what it
 * takes in a Set; no group is empty.
 */
export class PodGroups {
  readonly #groups = new Map<string, KnownPod[]>();

  keys(): Iterable<string> {
    return this.#groups.keys();
  }

  has(key: string): boolean {
    return this.#groups.has(key);
  }

  /** Not to be changed while they are read. */
  of(key: string): readonly KnownPod[] {
    return this.#groups.get(key) ?? [];
  }

  /** @param pod one that is not in the group */
  add(key: string, pod: KnownPod): void {
    const pods = this.#groups.get(key);
    if (pods) pods.push(pod);
    else this.#groups.set(key, [pod]);
  }

  /** @returns whether the group is gone with it */
  remove(key: string, pod: KnownPod): boolean {
    const pods = this.#groups.get(key);
    const index = pods?.indexOf(pod) ?? -1;
    if (index >= 0) pods?.splice(index, 1);
    return pods?.length === 0 && this.#groups.delete(key);
  }
}
