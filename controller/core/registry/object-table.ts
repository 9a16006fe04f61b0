import { NameTable } from './name-table.ts';

/** Objects by namespace and name. */
export class ObjectTable<T extends { readonly namespace: string; readonly name: string }> extends NameTable<T> {
  /** @returns what it replaces */
  apply(object: T): T | undefined {
    return this.set(object.namespace, object.name, object);
  }
}
