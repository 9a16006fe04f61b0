/** A graph that ends with the process: for tests, and for meshes that would rather learn again than keep a file. */
import { dependencyKey } from '../core/graph/dependency.ts';
import type { Dependency, Timestamp } from '../core/model.ts';
import type { Store, StoredGraph } from '../core/ports.ts';

export class MemoryStore implements Store {
  readonly #dependencies = new Map<string, Dependency>();
  #createdAt: Timestamp | undefined;

  load(now: Timestamp): Promise<StoredGraph> {
    this.#createdAt ??= now;
    return Promise.resolve({ dependencies: [...this.#dependencies.values()], createdAt: this.#createdAt });
  }

  save(dependencies: readonly Dependency[]): Promise<void> {
    for (const dependency of dependencies) this.#dependencies.set(dependencyKey(dependency), dependency);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
