/** Values by namespace and name. No keys are made of the two: with tens of thousands of objects they take memory. */
export class NameTable<T> {
  readonly #byNamespace = new Map<string, Map<string, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns what it replaces */
  set(namespace: string, name: string, value: T): T | undefined {
    const table = this.#byNamespace.get(namespace) ?? new Map<string, T>();
    this.#byNamespace.set(namespace, table);
    const before = table.get(name);
    const sizeBefore = table.size;
    table.set(name, value);
    this.#size += table.size - sizeBefore;
    return before;
  }

  delete(namespace: string, name: string): T | undefined {
    const table = this.#byNamespace.get(namespace);
    const before = table?.get(name);
    if (table?.delete(name)) this.#size -= 1;
    if (table?.size === 0) this.#byNamespace.delete(namespace);
    return before;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#byNamespace.get(namespace)?.get(name);
  }

  in(namespace: string): Iterable<T> {
    return this.#byNamespace.get(namespace)?.values() ?? [];
  }

  *all(): Iterable<T> {
    for (const table of this.#byNamespace.values()) yield* table.values();
  }
}
