/** An open stream, as far as its sender is concerned. */
export interface Sender {
  /** Address of the peer, without a port. */
  readonly address: string;
  readonly node: { readonly id: string } | undefined;
}

/**
 * Which streams are open under which node id. Each is served by itself, with all that the pod of this id should hold.
 * Two from one address are normal for a while: processes of one pod during a hot restart, or a connection that died
 * unnoticed. Two from different addresses are a bootstrap that was copied: both learn as one pod, one of them wrongly.
 */
export class NodeIds<S extends Sender> {
  readonly #byId = new Map<string, Set<S>>();

  /** @returns where the others with this id are, unless they are at the same address; each address once */
  add(stream: S): readonly string[] {
    const id = stream.node?.id ?? '';
    const streams = this.#byId.get(id) ?? new Set();
    const addresses = new Set([...streams].map(({ address }) => address));
    this.#byId.set(id, streams.add(stream));
    addresses.delete(stream.address);
    return [...addresses].sort();
  }

  delete(stream: S): void {
    const id = stream.node?.id ?? '';
    const streams = this.#byId.get(id);
    if (streams?.delete(stream) && streams.size === 0) this.#byId.delete(id);
  }

  /** How many streams are open whose id another one has too. */
  get sharing(): number {
    let count = 0;
    for (const { size } of this.#byId.values()) if (size > 1) count += size;
    return count;
  }
}
