/** Objects by namespace and name. */
export class ObjectTable<T extends { readonly namespace: string; readonly name: string }> {
  readonly #byNamespace = new Map<string, Map<string, T>>();

  /** @returns what it replaces */
  apply(object: T): T | undefined {
    const table = this.#byNamespace.get(object.namespace) ?? new Map<string, T>();
    this.#byNamespace.set(object.namespace, table);
    const before = table.get(object.name);
    table.set(object.name, object);
    return before;
  }

  delete(namespace: string, name: string): T | undefined {
    const table = this.#byNamespace.get(namespace);
    const before = table?.get(name);
    table?.delete(name);
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
