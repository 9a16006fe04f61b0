/** A sink that remembers everything it was told, and lets a test wait for it. */
import { isDeepStrictEqual } from 'node:util';
import type { MeshObject } from '../../controller/core/mesh-object.ts';
import type { Timestamp } from '../../controller/core/model.ts';
import type { MeshEvent, MeshSink, Problem } from '../../controller/core/ports.ts';
import { objectName } from '../../controller/wire/kubernetes/reduction.ts';

/** Longest wait in milliseconds; reaching it means failure. */
const PATIENCE = 20_000;

/** What a source told, in order, as it stands. */
export class RecordingMeshSink implements MeshSink {
  readonly batches: (readonly MeshEvent[])[] = [];
  readonly problems: Problem[] = [];
  readonly syncs: Timestamp[] = [];
  /** Each whole set of kinds that could not be read, sorted. */
  readonly unreadableKinds: MeshObject['kind'][][] = [];
  /** What exists by the events so far, by name such as `Service shop/cart`. */
  readonly objects = new Map<string, MeshObject>();
  readonly #waiting = new Set<() => void>();

  events(batch: readonly MeshEvent[]): void {
    this.batches.push(batch);
    for (const event of batch) {
      if (event.type === 'Applied') this.objects.set(objectName(event.object), event.object);
      else this.objects.delete(objectName(event.ref));
    }
    this.#wake();
  }

  synced(at: Timestamp): void {
    this.syncs.push(at);
    this.#wake();
  }

  unreadable(kinds: ReadonlySet<MeshObject['kind']>): void {
    this.unreadableKinds.push([...kinds].sort());
    this.#wake();
  }

  problem(problem: Problem): void {
    this.problems.push(problem);
    this.#wake();
  }

  /** One line per event: `Applied Service shop/cart`. */
  get log(): string[] {
    return this.batches
      .flat()
      .map((event) => `${event.type} ${objectName(event.type === 'Applied' ? event.object : event.ref)}`);
  }

  /** Events that said nothing new: an object told again as it was, or told to be gone that was not there. */
  get repetitions(): string[] {
    const known = new Map<string, MeshObject>();
    return this.batches.flat().flatMap((event) => {
      const name = objectName(event.type === 'Applied' ? event.object : event.ref);
      const before = known.get(name);
      if (event.type === 'Deleted') return known.delete(name) ? [] : [`Deleted ${name}`];
      known.set(name, event.object);
      return isDeepStrictEqual(before, event.object) ? [`Applied ${name}`] : [];
    });
  }

  /**
   * Waits until the condition holds; it is looked at after every call of the source.
   * @throws Error naming what was awaited, when time is up
   */
  async until(what: string, condition: () => boolean): Promise<void> {
    if (condition()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (condition()) resolve();
    };
    const told = (): string => JSON.stringify({ log: this.log, problems: this.problems });
    const timer = setTimeout(() => reject(new Error(`still not true: ${what}; told: ${told()}`)), PATIENCE);
    this.#waiting.add(look);
    try {
      await promise;
    } finally {
      this.#waiting.delete(look);
      clearTimeout(timer);
    }
  }

  /** Waits until this object exists, or no longer does. */
  async untilKnown(name: string, known = true): Promise<void> {
    await this.until(`${name} is ${known ? 'known' : 'gone'}`, () => this.objects.has(name) === known);
  }

  #wake(): void {
    for (const look of this.#waiting) look();
  }
}
