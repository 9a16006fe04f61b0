/** What has been told of one kind: tells changes from repetitions. */
import { isDeepStrictEqual } from 'node:util';
import type { MeshObject, ObjectRef } from '../core/mesh-object.ts';
import type { Timestamp } from '../core/model.ts';
import type { MeshEvent, Problem } from '../core/ports.ts';
import { ObjectTable } from '../core/registry/object-table.ts';
import { reduceAs } from '../wire/kubernetes/reduce.ts';
import type { ReduceOptions } from '../wire/kubernetes/reduction.ts';
import { metadataOf } from './object-metadata.ts';
import type { WatchedResource } from './resources.ts';

/** What came of some objects. */
export interface News {
  readonly events: readonly MeshEvent[];
  readonly problems: readonly Problem[];
}

/** Names of objects that a list held. */
export type Seen = Set<string>;

type ObjectName = Pick<ObjectRef, 'namespace' | 'name'>;

function nameOf({ namespace, name }: ObjectName): string {
  return `${namespace}/${name}`;
}

function keyOf(value: unknown): string {
  return nameOf(metadataOf(value));
}

/** The objects of one kind, reduced. */
export class KnownObjects {
  readonly #resource: WatchedResource;
  readonly #options: ReduceOptions;
  readonly #objects = new ObjectTable<MeshObject>((object) => object);
  /** Problems by object, so that a list does not repeat them. */
  readonly #problems = new Map<string, string>();

  constructor(resource: WatchedResource, options: ReduceOptions) {
    this.#resource = resource;
    this.#options = options;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** Takes what exists. An object that cannot be read any more stays as it was. */
  upsert(value: unknown, at: Timestamp): News {
    const { apiVersion, kind } = this.#resource;
    const key = keyOf(value);
    // Items of lists come without a type, and metadata alone with one of their own.
    const { objects, problems, ignored } = reduceAs(apiVersion, kind, value, this.#options);
    const events = objects.flatMap((object) => this.#keep(object, at));
    // It may have been of use before, as a Service that is now an ExternalName.
    if (ignored.some(({ ref }) => ref !== undefined)) events.push(...this.#drop(metadataOf(value), at));
    return { events, problems: this.#newProblems(key, problems) };
  }

  /** @param value the object as it was last */
  delete(value: unknown, at: Timestamp): News {
    const key = keyOf(value);
    this.#problems.delete(key);
    return { events: this.#drop(metadataOf(value), at), problems: [] };
  }

  /** Adds the names of listed objects to `seen`. */
  static see(values: readonly unknown[], seen: Seen): void {
    for (const value of values) seen.add(keyOf(value));
  }

  /** How many known objects a whole list did not hold. */
  missing(seen: Seen): number {
    let count = 0;
    for (const object of this.#objects.all()) if (!seen.has(nameOf(object))) count += 1;
    return count;
  }

  /** Drops everything that a whole list did not hold. */
  dropMissing(seen: Seen, at: Timestamp): readonly MeshEvent[] {
    for (const key of this.#problems.keys()) if (!seen.has(key)) this.#problems.delete(key);
    const missing = [...this.#objects.all()].filter((object) => !seen.has(nameOf(object)));
    return missing.flatMap((object) => this.#drop(object, at));
  }

  #keep(object: MeshObject, at: Timestamp): MeshEvent[] {
    if (isDeepStrictEqual(this.#objects.get(object.namespace, object.name), object)) return [];
    this.#objects.apply(object);
    return [{ type: 'Applied', object, at }];
  }

  #drop({ namespace, name }: ObjectName, at: Timestamp): MeshEvent[] {
    const object = this.#objects.delete(namespace, name);
    if (!object) return [];
    const { kind } = object;
    const ref: ObjectRef = { kind, namespace, name };
    return [{ type: 'Deleted', ref, at }];
  }

  #newProblems(key: string, problems: readonly Problem[]): readonly Problem[] {
    const text = problems.map(({ subject, reason }) => `${subject}\n${reason}`).join('\n');
    if (this.#problems.get(key) === text) return [];
    if (text === '') this.#problems.delete(key);
    else this.#problems.set(key, text);
    return problems;
  }
}
