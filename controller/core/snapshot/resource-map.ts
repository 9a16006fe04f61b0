/** Maps of resources that keep their identity while their content does, so that a difference is found without looking. */
import {
  CLUSTER,
  CLUSTER_LOAD_ASSIGNMENT,
  LISTENER,
  RESOURCE_TYPES,
  type Resource,
  ROUTE_CONFIGURATION,
  type Snapshot,
} from '../model.ts';

/** Resources by name. */
export type ResourceMap = ReadonlyMap<string, Resource>;

export const NO_RESOURCES: ResourceMap = new Map();

/** A map of resources; of two with one name the last counts. */
export function byName(resources: readonly Resource[]): ResourceMap {
  return extend(NO_RESOURCES, resources);
}

/** The base with resources added or replaced; the base itself where there are none. */
export function extend(base: ResourceMap, added: readonly Resource[]): ResourceMap {
  if (added.length === 0) return base;
  const extended = new Map(base);
  for (const resource of added) extended.set(resource.name, resource);
  return extended;
}

/** The map of before where names and versions are the same. */
export function unlessEqualMap(before: ResourceMap | undefined, after: ResourceMap): ResourceMap {
  if (!before || before.size !== after.size) return after;
  for (const [name, resource] of after) if (before.get(name)?.version !== resource.version) return after;
  return before;
}

/** The snapshot of before where nothing differs, else one whose unchanged parts are the maps of before. */
export function unlessEqual(before: Snapshot | undefined, after: Snapshot): Snapshot {
  if (!before) return after;
  const merged: Snapshot = {
    [CLUSTER]: unlessEqualMap(before[CLUSTER], after[CLUSTER]),
    [CLUSTER_LOAD_ASSIGNMENT]: unlessEqualMap(before[CLUSTER_LOAD_ASSIGNMENT], after[CLUSTER_LOAD_ASSIGNMENT]),
    [LISTENER]: unlessEqualMap(before[LISTENER], after[LISTENER]),
    [ROUTE_CONFIGURATION]: unlessEqualMap(before[ROUTE_CONFIGURATION], after[ROUTE_CONFIGURATION]),
  };
  return RESOURCE_TYPES.every((type) => merged[type] === before[type]) ? before : merged;
}
