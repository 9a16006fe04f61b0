import { ObjectTable } from './object-table.ts';
import { addTo, removeFrom } from './set-map.ts';

/** Objects that name hosts, wildcards (`*.example.com`, `*`) among them. */
export class HostTable<
  T extends { readonly namespace: string; readonly name: string; readonly hosts: readonly string[] },
> {
  readonly #objects = new ObjectTable<T>((object) => object);
  readonly #byHost = new Map<string, Set<T>>();

  /** @returns what it replaces */
  apply(object: T): T | undefined {
    const before = this.delete(object.namespace, object.name);
    this.#objects.apply(object);
    for (const host of object.hosts) addTo(this.#byHost, host, object);
    return before;
  }

  delete(namespace: string, name: string): T | undefined {
    const before = this.#objects.delete(namespace, name);
    if (before) for (const host of before.hosts) removeFrom(this.#byHost, host, before);
    return before;
  }

  get(namespace: string, name: string): T | undefined {
    return this.#objects.get(namespace, name);
  }

  /** Those with exactly this among their hosts. */
  withHost(host: string): Iterable<T> {
    return this.#byHost.get(host) ?? [];
  }

  /** Those that name the host, also by a wildcard. */
  naming(host: string): T[] {
    return [...new Set(hostPatterns(host).flatMap((pattern) => [...this.withHost(pattern)]))];
  }
}

/** What a host may be named by, most specific first: `a.b.c`, `*.b.c`, `*.c`, `*`. */
export function hostPatterns(host: string): readonly string[] {
  const labels = host.split('.');
  const wildcards = labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
  return [...new Set([host, ...wildcards, '*'])];
}
