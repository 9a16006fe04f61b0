/** What of the API server is read, and where it is. */
import type { MeshObject } from '../core/mesh-object.ts';

/** A kind of objects at the API server. */
export interface Resource {
  /** `group/version`, or `v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Lower case, as in paths. */
  readonly plural: string;
}

/** A kind that the source reads. */
export interface WatchedResource extends Resource {
  readonly kind: MeshObject['kind'];
  /** Of these objects only `metadata` is transferred. */
  readonly metadataOnly: boolean;
  /** Only this one object. */
  readonly only?: { readonly namespace: string; readonly name: string };
}

/** Existence of this ConfigMap in our own namespace makes every sidecar eager. */
export const KILL_SWITCH = 'lazyscope-kill-switch';

const whole = (apiVersion: string, kind: MeshObject['kind'], plural: string): WatchedResource => ({
  apiVersion,
  kind,
  plural,
  metadataOnly: false,
});

const metadata = (apiVersion: string, kind: MeshObject['kind'], plural: string): WatchedResource => ({
  ...whole(apiVersion, kind, plural),
  metadataOnly: true,
});

/** In the order in which they are told at start: what names a pod's workload before the pod, pods before services. */
const EVERY_MODE: readonly WatchedResource[] = [
  whole('v1', 'Namespace', 'namespaces'),
  whole('v1', 'Node', 'nodes'),
  metadata('apps/v1', 'Deployment', 'deployments'),
  metadata('apps/v1', 'StatefulSet', 'statefulsets'),
  metadata('apps/v1', 'DaemonSet', 'daemonsets'),
  metadata('batch/v1', 'CronJob', 'cronjobs'),
  metadata('apps/v1', 'ReplicaSet', 'replicasets'),
  metadata('batch/v1', 'Job', 'jobs'),
  whole('v1', 'Pod', 'pods'),
  whole('v1', 'Service', 'services'),
  whole('discovery.k8s.io/v1', 'EndpointSlice', 'endpointslices'),
];

const ISTIO_MODE: readonly WatchedResource[] = [
  whole('networking.istio.io/v1', 'ServiceEntry', 'serviceentries'),
  whole('networking.istio.io/v1', 'VirtualService', 'virtualservices'),
  whole('networking.istio.io/v1', 'DestinationRule', 'destinationrules'),
  whole('networking.istio.io/v1', 'Sidecar', 'sidecars'),
  whole('security.istio.io/v1', 'AuthorizationPolicy', 'authorizationpolicies'),
  whole('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
];

/**
 * @param namespace our own
 * @param meshConfig ConfigMap of Istio's mesh config; absent: it is not read
 */
export function watchedResources(
  mode: 'direct' | 'istio',
  namespace: string,
  meshConfig?: WatchedResource['only'],
): readonly WatchedResource[] {
  if (mode === 'direct') return EVERY_MODE;
  const configMaps = [{ namespace, name: KILL_SWITCH }, ...(meshConfig ? [meshConfig] : [])].map((only) => ({
    ...whole('v1', 'ConfigMap', 'configmaps'),
    only,
  }));
  return [...EVERY_MODE, ...ISTIO_MODE, ...configMaps];
}

/** `/api/v1/namespaces/shop/pods`; without a namespace those of all, or of the cluster. */
export function collectionPath({ apiVersion, plural }: Resource, namespace?: string): string {
  const group = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  return namespace ? `${group}/namespaces/${namespace}/${plural}` : `${group}/${plural}`;
}

/** `sidecars.networking.istio.io`, `pods`: as RBAC and kubectl name a resource. */
export function qualifiedName({ apiVersion, plural }: Resource): string {
  const [group, version] = apiVersion.split('/');
  return version === undefined ? plural : `${plural}.${group}`;
}
