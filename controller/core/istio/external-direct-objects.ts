/**
 * What lets connections to addresses outside the mesh leave from the pods themselves: one ServiceEntry without address,
 * whose ports are direct for every destination, and one VirtualService, which leads what is in the mesh's address ranges
 * back to the egress. Longer prefixes win in Envoy, and a service that is in scope has a listener of its own.
 */
import type { Labels } from '../model.ts';
import type { Manifest, ManifestRef } from '../publishing.ts';
import type { ExternalDirectSettings } from './external-direct-settings.ts';
import { MANAGED_BY } from './ownership.ts';
import { selectsLabels } from './selector.ts';
import { EGRESS_PORT, EGRESS_SERVICE, type IstioSettings, ownHost } from './settings.ts';

const NAME = 'lazyscope-external-direct';
const API_VERSION = 'networking.istio.io/v1';
/** Nobody dials it: only the ports count. */
const HOST = 'external-direct.lazyscope.internal';

/** The pods of one lazy workload. */
export interface LazySource {
  readonly namespace: string;
  readonly selector: Labels;
}

export function sourceKey({ namespace, selector }: LazySource): string {
  const labels = Object.entries(selector).map((pair) => pair.join('='));
  return `${namespace}/${labels.sort().join(',')}`;
}

export function entryRef({ namespace }: IstioSettings): ManifestRef {
  return { apiVersion: API_VERSION, kind: 'ServiceEntry', namespace, name: NAME };
}

export function routesRef({ namespace }: IstioSettings): ManifestRef {
  return { apiVersion: API_VERSION, kind: 'VirtualService', namespace, name: NAME };
}

/** Without address, a TCP port of resolution NONE takes every destination that nothing else on the port does. */
export function entryManifest(
  { ports }: ExternalDirectSettings,
  sources: readonly LazySource[],
  settings: IstioSettings,
): Manifest {
  return manifest(entryRef(settings), {
    hosts: [HOST],
    exportTo: namespacesOf(sources),
    location: 'MESH_EXTERNAL',
    resolution: 'NONE',
    ports: sorted(ports).map((number) => ({ number, name: `tcp-${number}`, protocol: 'TCP' })),
  });
}

/**
 * Only lazy pods are led to the egress: eager ones in the same namespaces, which see the ServiceEntry too, go on as
 * before. Envoy refuses a listener in which two chains match alike, so that no pod may be selected twice.
 */
export function routesManifest(
  { meshRanges }: ExternalDirectSettings,
  sources: readonly LazySource[],
  settings: IstioSettings,
): Manifest {
  const destinationSubnets = [...new Set(meshRanges)].sort();
  const destination = { host: ownHost(settings, EGRESS_SERVICE), port: { number: EGRESS_PORT } };
  const match = withoutNarrower(sources).map(({ namespace, selector }) => ({
    destinationSubnets,
    sourceNamespace: namespace,
    sourceLabels: selector,
  }));
  return manifest(routesRef(settings), {
    hosts: [HOST],
    exportTo: namespacesOf(sources),
    tcp: [{ match, route: [{ destination }] }],
  });
}

function manifest({ apiVersion, kind, namespace, name }: ManifestRef, spec: object): Manifest {
  return { apiVersion, kind, metadata: { namespace, name, labels: MANAGED_BY }, spec };
}

/** Sorted by key, less those whose pods another one selects as well. */
function withoutNarrower(sources: readonly LazySource[]): readonly LazySource[] {
  const byKey = new Map(sources.map((source) => [sourceKey(source), source]));
  const all = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
  return all.filter(
    (narrow) =>
      !all.some(
        (wide) =>
          wide !== narrow && wide.namespace === narrow.namespace && selectsLabels(wide.selector, narrow.selector),
      ),
  );
}

function namespacesOf(sources: readonly LazySource[]): readonly string[] {
  return [...new Set(sources.map(({ namespace }) => namespace))].sort();
}

function sorted(ports: readonly number[]): readonly number[] {
  return [...new Set(ports)].sort((a, b) => a - b);
}
