/** Maps from a key to a set of items, without empty sets. */

export function addTo<T>(map: Map<string, Set<T>>, key: string, item: T): void {
  const items = map.get(key) ?? new Set<T>();
  map.set(key, items.add(item));
}

/** @returns whether the set is gone with it */
export function removeFrom<T>(map: Map<string, Set<T>>, key: string, item: T): boolean {
  const items = map.get(key);
  items?.delete(item);
  return items?.size === 0 && map.delete(key);
}
