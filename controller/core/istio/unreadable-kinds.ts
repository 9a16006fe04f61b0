import type { MeshObject } from '../mesh-object.ts';
import type { Timestamp } from '../model.ts';

type Kind = MeshObject['kind'];

/**
 * An API server that starts refuses everything until it knows its own roles, and what was read before is still known: a
 * kind that could be read counts as unreadable only after this long.
 */
const GRACE_MS = 60_000;

/** Kinds that may not be read, once that is more than a moment's trouble. */
export class UnreadableKinds {
  /** By when they count. */
  readonly #from = new Map<Kind, Timestamp>();

  /** @param wasRead whether they have been read before; those that never were count at once */
  told(kinds: ReadonlySet<Kind>, at: Timestamp, wasRead: boolean): void {
    for (const kind of this.#from.keys()) if (!kinds.has(kind)) this.#from.delete(kind);
    for (const kind of kinds) if (!this.#from.has(kind)) this.#from.set(kind, wasRead ? at + GRACE_MS : at);
  }

  lasting(now: Timestamp): ReadonlySet<Kind> {
    return new Set([...this.#from].flatMap(([kind, from]) => (from <= now ? kind : [])));
  }

  /** When the answer of {@link lasting} changes by itself next; infinite: it does not. */
  nextAt(now: Timestamp): Timestamp {
    return Math.min(...[...this.#from.values()].filter((from) => from > now), Number.POSITIVE_INFINITY);
  }
}
