import type { Timestamp, WorkloadKey } from '../model.ts';

/** Who had an address, from when to when. */
export interface Ownership {
  /** `namespace/name` of the pod. */
  readonly pod: string;
  readonly workload: WorkloadKey;
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
  /** Nearly every address has had one owner only, which then needs no list. */
  readonly #owners = new Map<string, Ownership | readonly Ownership[]>();

  /**
   * A pod has an address.
   * @param startedAt start of the pod where it is known (second granularity); else it counts from `at`, or from
   *   ever if nobody had the address before
   */
  claim(address: string, claim: Pick<Ownership, 'pod' | 'workload'>, startedAt: Timestamp | undefined, at: Timestamp) {
    const owners = this.#of(address);
    const current = owners.at(-1);
    if (current?.pod === claim.pod && current.to === Number.POSITIVE_INFINITY) {
      if (current.workload !== claim.workload) this.#set(address, owners.with(-1, { ...current, ...claim }));
      return;
    }
    const from = beginning(current, startedAt, at);
    const kept = owners.filter((owner) => owner.to > at - RETENTION_MS);
    const { pod, workload } = claim;
    this.#set(address, [...kept, { pod, workload, from, to: Number.POSITIVE_INFINITY }]);
  }

  /** A pod gave its address back, or is gone. */
  release(address: string, pod: string, at: Timestamp): void {
    const owners = this.#of(address);
    const index = owners.findLastIndex((owner) => owner.pod === pod && owner.to === Number.POSITIVE_INFINITY);
    const owner = owners[index];
    if (owner) this.#set(address, owners.with(index, { ...owner, to: at }));
  }

  /** The owner at a time; the newest claim wins where a release was never told. */
  ownerAt(address: string, at: Timestamp): Ownership | undefined {
    const owners = this.#owners.get(address);
    if (owners === undefined || isList(owners)) return owners?.findLast((owner) => owned(owner, at));
    return owned(owners, at) ? owners : undefined;
  }

  /** Whether anybody has the address now. */
  has(address: string): boolean {
    return this.#of(address).at(-1)?.to === Number.POSITIVE_INFINITY;
  }

  /** Forgets former owners whose time is over; call it now and then. */
  prune(now: Timestamp): void {
    for (const [address, known] of this.#owners) {
      const owners = isList(known) ? known : [known];
      const kept = owners.filter((owner) => owner.to > now - RETENTION_MS);
      if (kept.length === 0) this.#owners.delete(address);
      else if (kept.length < owners.length) this.#set(address, kept);
    }
  }

  #of(address: string): readonly Ownership[] {
    const owners = this.#owners.get(address) ?? [];
    return isList(owners) ? owners : [owners];
  }

  #set(address: string, owners: readonly Ownership[]): void {
    const [only] = owners;
    this.#owners.set(address, owners.length === 1 && only ? only : owners);
  }
}

function isList(owners: Ownership | readonly Ownership[]): owners is readonly Ownership[] {
  return Array.isArray(owners);
}

function owned({ from, to }: Ownership, at: Timestamp): boolean {
  return from <= at && at < to;
}

/** `startedAt` is cut to the second, so it may lie before the release of the last owner: the later one holds. */
function beginning(last: Ownership | undefined, startedAt: Timestamp | undefined, at: Timestamp): Timestamp {
  if (startedAt === undefined) return last === undefined ? Number.NEGATIVE_INFINITY : Math.min(at, last.to);
  const released = last !== undefined && last.to !== Number.POSITIVE_INFINITY ? last.to : Number.NEGATIVE_INFINITY;
  return Math.max(startedAt, released);
}
