/** The Kubernetes objects of a bed, as an API server would list them. */
import type { Pod } from './pod.ts';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string } & Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Suffix of a Deployment's ReplicaSet; every Deployment of a bed has just one. */
const TEMPLATE_HASH = '5d4f8c7b9';

/** What of a pod Kubernetes shows. */
type PodFacts = Pick<Pod, 'name' | 'namespace' | 'deployment' | 'address' | 'mode'>;

/** What Kubernetes would show of a running pod. */
export function podObject(pod: PodFacts, startedAt = new Date()): KubernetesObject {
  const startTime = `${startedAt.toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: pod.name,
      namespace: pod.namespace,
      uid: `uid-${pod.namespace}-${pod.name}`,
      creationTimestamp: startTime,
      labels: { app: pod.deployment, 'pod-template-hash': TEMPLATE_HASH },
      ...(pod.mode === undefined ? {} : { annotations: { 'lazyscope.io/mode': pod.mode } }),
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${pod.deployment}-${TEMPLATE_HASH}`, controller: true },
      ],
    },
    spec: { containers: [{ name: 'app', image: 'app' }] },
    status: { phase: 'Running', podIP: pod.address, podIPs: [{ ip: pod.address }], startTime },
  };
}

export interface ServiceOptions {
  readonly name: string;
  /** Default `shop`. */
  readonly namespace?: string;
  /** Absent: headless. */
  readonly clusterIP?: string;
  /** Port by name; the name's prefix says the protocol (`http-web`, `grpc`, `tcp-db`, `tls`). */
  readonly ports: Readonly<Record<string, number>>;
  /** Target port by name, where it is not the port itself. */
  readonly targetPorts?: Readonly<Record<string, number>>;
  /** Addresses of its ready pods. */
  readonly endpoints: readonly string[];
}

/** A Service and its one EndpointSlice. */
export function serviceObjects(options: ServiceOptions): readonly [KubernetesObject, KubernetesObject] {
  const { name, namespace = 'shop', clusterIP, ports, targetPorts = {}, endpoints } = options;
  const target = (port: string): number => targetPorts[port] ?? ports[port] ?? 0;
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      clusterIP: clusterIP ?? 'None',
      clusterIPs: [clusterIP ?? 'None'],
      ports: Object.entries(ports).map(([port, number]) => ({
        name: port,
        port: number,
        targetPort: target(port),
        protocol: 'TCP',
      })),
    },
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: Object.keys(ports).map((port) => ({ name: port, port: target(port), protocol: 'TCP' })),
    endpoints: endpoints.map((address) => ({ addresses: [address], conditions: { ready: true } })),
  };
  return [service, slice];
}

export function namespaceObject(name: string, annotations: Readonly<Record<string, string>> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, annotations } };
}
