/** The objects of a large mesh, as Kubernetes' controllers, its kubelets and Istio's injection leave them. */

/** Pods of one workload; each stands behind all of its workload's services. */
export const PODS_PER_WORKLOAD = 10;
export const SERVICES_PER_WORKLOAD = 10;
const WORKLOADS_PER_NAMESPACE = 10;
const PORT = 8_080;
const TEMPLATE_HASH = '5d4f8c7b9';

/** A workload of the large mesh, its services and its pods. */
export interface LargeWorkload {
  readonly index: number;
  readonly namespace: string;
  readonly name: string;
}

/** What is made of an object's kind and namespace is said where it is written. */
export interface NamedObject {
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

interface Owner {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string };
}

export function largeWorkload(index: number): LargeWorkload {
  return { index, namespace: `mesh-${Math.floor(index / WORKLOADS_PER_NAMESPACE)}`, name: `workload-${index}` };
}

/** Service `index` of the mesh. */
export function largeService(index: number): {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
} {
  const { namespace } = largeWorkload(Math.floor(index / SERVICES_PER_WORKLOAD));
  const name = `service-${index}`;
  return { namespace, name, key: `${namespace}/${name}.${namespace}.svc.cluster.local` };
}

/** Address of a workload's pod, on no network of any bed. */
export function podAddress(workload: number, pod: number): string {
  const index = workload * PODS_PER_WORKLOAD + pod;
  return `100.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
}

function podName({ name }: LargeWorkload, pod: number): string {
  return `${name}-${TEMPLATE_HASH}-${`${pod}`.padStart(5, 'x')}`;
}

/** Its ClusterIP is the API server's choice. */
export function serviceObject(index: number): NamedObject {
  const { name } = largeService(index);
  const app = `workload-${Math.floor(index / SERVICES_PER_WORKLOAD)}`;
  return {
    metadata: { name, labels: { app, 'app.kubernetes.io/managed-by': 'Helm' }, annotations: chartAnnotations(name) },
    spec: { selector: { app }, ports: [{ name: 'http', port: PORT, targetPort: PORT, protocol: 'TCP' }] },
  };
}

function chartAnnotations(release: string): object {
  return { 'meta.helm.sh/release-name': release, 'meta.helm.sh/release-namespace': 'production' };
}

export function endpointSliceObject(index: number): NamedObject {
  const { name } = largeService(index);
  const workload = largeWorkload(Math.floor(index / SERVICES_PER_WORKLOAD));
  return {
    metadata: {
      name: `${name}-x7k2p`,
      labels: {
        app: workload.name,
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': name,
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: PORT, protocol: 'TCP' }],
    endpoints: Array.from({ length: PODS_PER_WORKLOAD }, (_, pod) => ({
      addresses: [podAddress(workload.index, pod)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: nodeName(workload.index, pod),
      targetRef: {
        kind: 'Pod',
        name: podName(workload, pod),
        namespace: workload.namespace,
        uid: uidOf(workload.index, pod),
      },
      zone: 'eu-central-1a',
    })),
  };
}

function nodeName(workload: number, pod: number): string {
  return `ip-10-0-${workload % 100}-${pod}.eu-central-1.compute.internal`;
}

function uidOf(workload: number, pod: number): string {
  const number = `${workload * PODS_PER_WORKLOAD + pod}`.padStart(12, '0');
  return `3f0c1d5e-8a7b-4c2d-9e1f-${number}`;
}

export function deploymentObject(workload: LargeWorkload): NamedObject {
  const { name } = workload;
  return { metadata: { name, labels: { app: name } }, spec: { replicas: PODS_PER_WORKLOAD, ...template(workload) } };
}

export function replicaSetObject(workload: LargeWorkload, deployment: Owner): NamedObject {
  const name = `${workload.name}-${TEMPLATE_HASH}`;
  const metadata = { name, labels: podLabels(workload), ownerReferences: [ownerReference('apps/v1', deployment)] };
  return { metadata, spec: { replicas: PODS_PER_WORKLOAD, ...template(workload) } };
}

function template(workload: LargeWorkload): object {
  return {
    selector: { matchLabels: { app: workload.name } },
    template: { metadata: { labels: podLabels(workload) }, spec: { containers: [{ name: 'app', image: 'app' }] } },
  };
}

function podLabels({ name }: LargeWorkload): Readonly<Record<string, string>> {
  return { app: name, version: 'v1', 'pod-template-hash': TEMPLATE_HASH, 'security.istio.io/tlsMode': 'istio' };
}

function ownerReference(apiVersion: string, { kind, metadata }: Owner): object {
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

/** An application and its injected sidecar. Never scheduled, as no kubelet would confirm its deletion. */
export function podObject(workload: LargeWorkload, pod: number, replicaSet: Owner): NamedObject {
  return {
    metadata: {
      name: podName(workload, pod),
      labels: podLabels(workload),
      annotations: {
        'kubectl.kubernetes.io/default-container': 'app',
        'sidecar.istio.io/status':
          '{"initContainers":["istio-init"],"containers":["istio-proxy"],"revision":"default"}',
      },
      ownerReferences: [ownerReference('apps/v1', replicaSet)],
    },
    spec: {
      serviceAccountName: workload.name,
      automountServiceAccountToken: false,
      containers: [applicationContainer(), sidecarContainer(workload)],
    },
  };
}

function applicationContainer(): object {
  return {
    name: 'app',
    image: 'registry.example.com/shop/application:1.42.0',
    ports: [{ name: 'http', containerPort: PORT, protocol: 'TCP' }],
    env: [{ name: 'SETTINGS', value: '/etc/application/settings.yaml' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: PORT }, periodSeconds: 5 },
  };
}

function sidecarContainer({ name }: LargeWorkload): object {
  return {
    name: 'istio-proxy',
    image: 'docker.io/istio/proxyv2:1.31.0',
    args: ['proxy', 'sidecar', '--domain', '$(POD_NAMESPACE).svc.cluster.local', '--proxyLogLevel=warning'],
    env: [
      { name: 'ISTIO_META_WORKLOAD_NAME', value: name },
      { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    ],
  };
}

/** What its kubelet says of a running pod. */
export function podStatus(workload: LargeWorkload, pod: number): object {
  const podIP = podAddress(workload.index, pod);
  const hostIP = `10.0.${workload.index % 100}.${pod}`;
  const at = '2026-01-01T00:00:00Z';
  const types = ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];
  return {
    phase: 'Running',
    hostIP,
    hostIPs: [{ ip: hostIP }],
    podIP,
    podIPs: [{ ip: podIP }],
    startTime: at,
    qosClass: 'Burstable',
    conditions: types.map((type) => ({ type, status: 'True', lastTransitionTime: at })),
    containerStatuses: ['app', 'istio-proxy'].map((name) => ({
      name,
      ready: true,
      started: true,
      restartCount: 0,
      image: `registry.example.com/${name}:1.42.0`,
      imageID: `registry.example.com/${name}@sha256:${'0123456789abcdef'.repeat(4)}`,
      containerID: `containerd://${'fedcba9876543210'.repeat(4)}`,
      state: { running: { startedAt: at } },
    })),
  };
}
