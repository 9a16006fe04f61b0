/** A Service and the EndpointSlice that Kubernetes' controller would make of it. */
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';

export interface MeshServiceOptions {
  readonly name: string;
  /** Default `shop`. */
  readonly namespace?: string;
  /** Port by name; the name's prefix says the protocol (`http-web`, `grpc`, `tcp-db`, `tls`). */
  readonly ports: Readonly<Record<string, number>>;
  /** Target port by name, where it is not the port itself. */
  readonly targetPorts?: Readonly<Record<string, number>>;
  /** Its pods, all of one Deployment; default: none. */
  readonly pods?: readonly Pod[];
  /** Those of its pods that are not ready. */
  readonly unready?: readonly Pod[];
  readonly headless?: boolean;
}

/** The Service; its ClusterIP is the API server's choice. */
export function serviceObject(options: MeshServiceOptions): KubernetesObject {
  const { name, namespace = 'shop', ports, pods = [], headless } = options;
  const [pod] = pods;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: {
      ...(headless ? { clusterIP: 'None' } : {}),
      // istiod finds by it which ports a sidecar serves.
      ...(pod ? { selector: { app: pod.deployment } } : {}),
      ports: Object.entries(ports).map(([port, number]) => ({
        name: port,
        port: number,
        targetPort: targetPort(options, port),
        protocol: 'TCP',
      })),
    },
  };
}

/** Its endpoints name their pods: of these istiod takes identity and mTLS. */
export function endpointSliceObject(options: MeshServiceOptions): KubernetesObject {
  const { name, namespace = 'shop', ports, pods = [], unready = [], headless } = options;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: Object.keys(ports).map((port) => ({ name: port, port: targetPort(options, port), protocol: 'TCP' })),
    endpoints: pods.map((pod) => ({
      addresses: [pod.address],
      conditions: { ready: !unready.includes(pod) },
      // Pods of a StatefulSet are called by it: `<pod>.<service>.<namespace>.svc`.
      ...(headless ? { hostname: pod.name } : {}),
      targetRef: { kind: 'Pod', name: pod.name, namespace: pod.namespace },
    })),
  };
}

function targetPort({ ports, targetPorts = {} }: MeshServiceOptions, port: string): number {
  return targetPorts[port] ?? ports[port] ?? 0;
}
