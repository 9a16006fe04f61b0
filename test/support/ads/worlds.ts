/** Snapshots in one line per type, and a codec that reads what their resources refer to. */
import type { ResourceCodec } from '../../../controller/core/delta/discovery.ts';
import {
  CLUSTER,
  CLUSTER_LOAD_ASSIGNMENT,
  LISTENER,
  type Resource,
  type ResourceType,
  ROUTE_CONFIGURATION,
  type Snapshot,
} from '../../../controller/core/model.ts';

/** Short names of the types, as everybody says them. */
export const TYPES = {
  CDS: CLUSTER,
  EDS: CLUSTER_LOAD_ASSIGNMENT,
  LDS: LISTENER,
  RDS: ROUTE_CONFIGURATION,
} as const;
export type ShortType = keyof typeof TYPES;

/** The short name of a type. */
export function shortType(type: ResourceType): ShortType {
  if (type === CLUSTER) return 'CDS';
  if (type === CLUSTER_LOAD_ASSIGNMENT) return 'EDS';
  return type === LISTENER ? 'LDS' : 'RDS';
}

/** One resource, written `name@version>reference,reference`; a listener's reference `rds:8080` is a route. */
function resource(type: ShortType, text: string): Resource {
  const [head = '', references = ''] = text.split('>');
  const [name = '', version = '1'] = head.split('@');
  return { type: TYPES[type], name, version, bytes: new TextEncoder().encode(references) };
}

const known = new Map<string, ReadonlyMap<string, Resource>>();

/** The same map for the same text, as a part of a snapshot without changes is the same map as before. */
function resources(type: ShortType, text: string): ReadonlyMap<string, Resource> {
  const key = `${type} ${text}`;
  const words = text.split(' ').filter((word) => word !== '');
  const map = known.get(key) ?? new Map(words.map((word) => resource(type, word)).map((item) => [item.name, item]));
  known.set(key, map);
  return map;
}

/** A snapshot: resources of each type, parted by spaces. */
export function world(lines: { readonly [type in ShortType]?: string }): Snapshot {
  const entries = (type: ShortType) => resources(type, lines[type] ?? '');
  return {
    [CLUSTER]: entries('CDS'),
    [CLUSTER_LOAD_ASSIGNMENT]: entries('EDS'),
    [LISTENER]: entries('LDS'),
    [ROUTE_CONFIGURATION]: entries('RDS'),
  };
}

/** Reads the references that {@link resource} wrote. */
export const testCodec: ResourceCodec = {
  emptyRoute: (name) => resource('RDS', `${name}@empty`),
  references: ({ bytes }) => {
    const names = new TextDecoder().decode(bytes).split(',').filter(Boolean);
    const routes = names.filter((name) => name.startsWith('rds:')).map((name) => name.slice(4));
    return { clusters: new Set(names.filter((name) => !name.startsWith('rds:'))), routes: new Set(routes) };
  },
};
