/** The objects of a pod as Kubernetes' controllers and its kubelet would make them: none of these run in a mesh bed. */
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { KubernetesClient, ObjectReference, StoredObject } from './kubernetes-client.ts';

/** Suffix of a Deployment's ReplicaSet, and of a StatefulSet's revision; each of a bed has just one. */
const TEMPLATE_HASH = '5d4f8c7b9';

export interface WorkloadOptions {
  /** What controls the pod, named as its `deployment`; default `Deployment`. */
  readonly kind?: 'Deployment' | 'StatefulSet';
  /** Labels besides `app` and the ReplicaSet's own. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What its objects say of a pod. */
export type KnownPod = Pick<Pod, 'name' | 'namespace' | 'deployment' | 'address'>;

/** What names a pod. */
function podReference({ name, namespace }: KnownPod): ObjectReference {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } };
}

/** Writes the pod's ServiceAccount, what controls the pod, and the pod itself, running and ready. */
export async function applyWorkload(
  client: KubernetesClient,
  pod: KnownPod,
  options: WorkloadOptions = {},
): Promise<void> {
  const { namespace, deployment, address } = pod;
  await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: deployment, namespace } });
  const controlled = options.kind === 'StatefulSet' ? ofStatefulSet : ofDeployment;
  const { owner, labels } = await controlled(client, pod, { app: deployment, ...options.labels });
  const metadata = {
    ...podReference(pod).metadata,
    labels,
    ...(options.annotations ? { annotations: options.annotations } : {}),
    ...owners(owner),
  };
  await client.apply({ ...podReference(pod), metadata, spec: podSpec(deployment) });
  await client.patchStatus(podReference(pod), runningStatus(address));
}

type Labels = Readonly<Record<string, string>>;

/** What controls a pod, and the labels that it gives to it. */
interface Controlled {
  readonly owner: StoredObject;
  readonly labels: Labels;
}

async function ofDeployment(
  client: KubernetesClient,
  { namespace, deployment }: KnownPod,
  labels: Labels,
): Promise<Controlled> {
  const spec = { replicas: 1, ...template(deployment, labels) };
  const apps = (kind: string, name: string, owner?: StoredObject): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, labels, ...owners(owner) },
    spec,
  });
  const controller = await client.apply(apps('Deployment', deployment));
  const owner = await client.apply(apps('ReplicaSet', `${deployment}-${TEMPLATE_HASH}`, controller));
  return { owner, labels: { ...labels, 'pod-template-hash': TEMPLATE_HASH } };
}

async function ofStatefulSet(client: KubernetesClient, pod: KnownPod, labels: Labels): Promise<Controlled> {
  const { name, namespace, deployment } = pod;
  const owner = await client.apply({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: deployment, namespace, labels },
    spec: { replicas: 1, serviceName: deployment, ...template(deployment, labels) },
  });
  const own = {
    'controller-revision-hash': `${deployment}-${TEMPLATE_HASH}`,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': name.slice(deployment.length + 1),
  };
  return { owner, labels: { ...labels, ...own } };
}

function template(deployment: string, labels: Labels): object {
  return {
    selector: { matchLabels: { app: deployment } },
    template: { metadata: { labels }, spec: podSpec(deployment) },
  };
}

/** Never scheduled, so that a deleted pod is gone at once. */
function podSpec(serviceAccountName: string): object {
  return { serviceAccountName, containers: [{ name: 'app', image: 'app' }] };
}

function runningStatus(address: string): object {
  const startTime = `${new Date().toISOString().slice(0, 19)}Z`;
  const conditions = [{ type: 'Ready', status: 'True' }];
  return { phase: 'Running', podIP: address, podIPs: [{ ip: address }], startTime, conditions };
}

function owners(owner?: StoredObject): object {
  if (!owner) return {};
  const { apiVersion, kind, metadata } = owner;
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true }] };
}
