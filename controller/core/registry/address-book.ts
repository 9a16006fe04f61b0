import type { Timestamp } from '../model.ts';
import type { KnownPod } from './known-pod.ts';

/** Who had an address, from when to when. */
interface Ownership {
  readonly owner: KnownPod;
  readonly from: Timestamp;
  /** `Infinity` while the pod has the address. */
  readonly to: Timestamp;
}

/** How long a former owner is remembered: longer than an egress may take to report a connection. */
const RETENTION_MS = 10 * 60_000;

/**
 * Owners of pod addresses by interval. Kubernetes gives an address to the next pod as soon as the last one is gone,
 * so an entry is attributed to who owned the address when its connection *began*, never to whoever has it now.
 */
export class AddressBook {
  /** Nearly every address has one owner that nobody was before: its pod, since it started, needs no list. */
  readonly #owners = new Map<string, KnownPod | readonly Ownership[]>();

  /**
   * A pod has an address, from its start where that is known (second granularity); else it counts from `at`, or from
   * ever if nobody had the address before.
   */
  claim(address: string, owner: KnownPod, at: Timestamp): void {
    const owners = this.#of(address);
    const last = owners.at(-1);
    if (last === undefined) this.#owners.set(address, owner);
    if (last === undefined || (last.owner === owner && last.to === Number.POSITIVE_INFINITY)) return;
    const kept = owners.filter(({ to }) => to > at - RETENTION_MS);
    const from = beginning(last, owner.pod.startedAt, at);
    this.#owners.set(address, [...kept, { owner, from, to: Number.POSITIVE_INFINITY }]);
  }

  /** A pod gave its address back, or is gone. */
  release(address: string, owner: KnownPod, at: Timestamp): void {
    const owners = this.#of(address);
    const index = owners.findLastIndex((one) => one.owner === owner && one.to === Number.POSITIVE_INFINITY);
    const ownership = owners[index];
    if (ownership) this.#owners.set(address, owners.with(index, { ...ownership, to: at }));
  }

  /** The owner at a time; the newest claim wins where a release was never told. */
  ownerAt(address: string, at: Timestamp): KnownPod | undefined {
    const known = this.#owners.get(address);
    if (known === undefined || isList(known)) return known?.findLast(({ from, to }) => from <= at && at < to)?.owner;
    return since(known) <= at ? known : undefined;
  }

  /** Whether anybody has the address now. */
  has(address: string): boolean {
    return this.#of(address).at(-1)?.to === Number.POSITIVE_INFINITY;
  }

  /** Forgets former owners whose time is over; call it now and then. */
  prune(now: Timestamp): void {
    for (const [address, owners] of this.#owners) {
      if (!isList(owners)) continue;
      const kept = owners.filter(({ to }) => to > now - RETENTION_MS);
      const [only] = kept;
      if (only === undefined) this.#owners.delete(address);
      else if (kept.length === 1 && only.to === Number.POSITIVE_INFINITY) this.#owners.set(address, only.owner);
      else if (kept.length < owners.length) this.#owners.set(address, kept);
    }
  }

  #of(address: string): readonly Ownership[] {
    const known = this.#owners.get(address) ?? [];
    return isList(known) ? known : [{ owner: known, from: since(known), to: Number.POSITIVE_INFINITY }];
  }
}

function isList(known: KnownPod | readonly Ownership[]): known is readonly Ownership[] {
  return Array.isArray(known);
}

/** From when a pod has an address that nobody is remembered to have had before. */
function since({ pod }: KnownPod): Timestamp {
  return pod.startedAt ?? Number.NEGATIVE_INFINITY;
}

/** `startedAt` is cut to the second, so it may lie before the release of the last owner: the later one holds. */
function beginning(last: Ownership, startedAt: Timestamp | undefined, at: Timestamp): Timestamp {
  if (startedAt === undefined) return Math.min(at, last.to);
  return Math.max(startedAt, last.to === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : last.to);
}
