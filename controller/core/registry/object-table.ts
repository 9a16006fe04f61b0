/** What names an object within its kind. */
interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Objects by namespace and name: a list for each namespace, sorted by name. Objects bring their names along, so that one
 * takes 10 bytes here and not a Map's 35. A new one moves those behind it; lists come sorted from the API server, and a
 * namespace has thousands of objects, not millions.
 */
export class ObjectTable<T> {
  readonly #nameOf: (object: T) => ObjectName;
  readonly #byNamespace = new Map<string, T[]>();
  #size = 0;

  /** @param nameOf of an object, always the same */
  constructor(nameOf: (object: T) => ObjectName) {
    this.#nameOf = nameOf;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns what it replaces */
  apply(object: T): T | undefined {
    const { namespace, name } = this.#nameOf(object);
    const objects = this.#byNamespace.get(namespace) ?? [];
    this.#byNamespace.set(namespace, objects);
    const index = this.#indexOf(objects, name);
    const before = this.#at(objects, index, name);
    if (before !== undefined) {
      objects[index] = object;
      return before;
    }
    objects.splice(index, 0, object);
    this.#size += 1;
    return undefined;
  }

  delete(namespace: string, name: string): T | undefined {
    const objects = this.#byNamespace.get(namespace) ?? [];
    const index = this.#indexOf(objects, name);
    const object = this.#at(objects, index, name);
    if (object === undefined) return undefined;
    objects.splice(index, 1);
    this.#size -= 1;
    if (objects.length === 0) this.#byNamespace.delete(namespace);
    return object;
  }

  get(namespace: string, name: string): T | undefined {
    const objects = this.#byNamespace.get(namespace) ?? [];
    return this.#at(objects, this.#indexOf(objects, name), name);
  }

  /** A namespace's, by name; not to be changed while they are read. */
  in(namespace: string): Iterable<T> {
    return this.#byNamespace.get(namespace) ?? [];
  }

  /** All, by name within each namespace; not to be changed while they are read. */
  *all(): Iterable<T> {
    for (const objects of this.#byNamespace.values()) yield* objects;
  }

  /** Where the name stands, or would stand. */
  #indexOf(objects: readonly T[], name: string): number {
    const last = objects.at(-1);
    if (last === undefined || this.#nameOf(last).name < name) return objects.length;
    let [low, high] = [0, objects.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#nameOf(objects[middle] as T).name < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(objects: readonly T[], index: number, name: string): T | undefined {
    const object = objects[index];
    return object !== undefined && this.#nameOf(object).name === name ? object : undefined;
  }
}
