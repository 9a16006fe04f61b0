/** What the protocol core must know of Envoy's resources (see {@link ResourceCodec}). */
import type { References, ResourceCodec } from '../core/delta/discovery.ts';
import { type Resource, ROUTE_CONFIGURATION } from '../core/model.ts';
import { emptyRouteConfiguration } from '../core/resources/route.ts';
import { decode, encode } from '../wire/messages.ts';

/** Filters that name clusters or routes; what is in other extensions refers to nothing of ours. */
const REFERRING = new Set([
  'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
]);

/** Reads and writes Envoy's resources. References are read once per resource. */
export function createResourceCodec(): ResourceCodec {
  const known = new WeakMap<Resource, References>();
  return {
    emptyRoute,
    references: (resource) => {
      const references = known.get(resource) ?? readReferences(resource);
      known.set(resource, references);
      return references;
    },
  };
}

/** Its content depends on nothing but the name, so one word is version enough. */
function emptyRoute(name: string): Resource {
  const bytes = encode(ROUTE_CONFIGURATION, emptyRouteConfiguration(name));
  return { type: ROUTE_CONFIGURATION, name, version: 'empty', bytes };
}

interface Found {
  readonly clusters: Set<string>;
  readonly routes: Set<string>;
}

function readReferences(resource: Resource): References {
  const found: Found = { clusters: new Set(), routes: new Set() };
  collect(decode(resource.type, resource.bytes), found);
  return found;
}

function collect(value: unknown, found: Found): void {
  if (Array.isArray(value)) for (const item of value) collect(item, found);
  else if (isAny(value)) {
    if (REFERRING.has(value.type_url)) collect(decode(value.type_url, value.value), found);
  } else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    for (const [field, item] of Object.entries(value)) collectField(field, item, found);
  }
}

function collectField(field: string, value: unknown, found: Found): void {
  if (typeof value !== 'string') {
    if (field === 'weighted_clusters') collectWeighted(value, found);
    else collect(value, found);
  } else if (value !== '') {
    if (field === 'cluster') found.clusters.add(value);
    if (field === 'route_config_name') found.routes.add(value);
  }
}

function collectWeighted(value: unknown, found: Found): void {
  const clusters = (value as { clusters?: readonly { name?: string }[] } | null)?.clusters ?? [];
  for (const { name } of clusters) if (name) found.clusters.add(name);
}

function isAny(value: unknown): value is { readonly type_url: string; readonly value: Uint8Array } {
  return typeof value === 'object' && value !== null && 'type_url' in value && 'value' in value;
}
