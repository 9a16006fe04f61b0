/** The objects of a pod as Kubernetes' controllers and its kubelet would make them: none of these run in a mesh bed. */
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { KubernetesClient, ObjectReference, StoredObject } from './kubernetes-client.ts';

/** Suffix of a Deployment's ReplicaSet; every Deployment of a bed has just one. */
const TEMPLATE_HASH = '5d4f8c7b9';

export interface WorkloadOptions {
  /** Labels besides `app` and the ReplicaSet's own. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What names a pod. */
function podReference({ name, namespace }: Pod): ObjectReference {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } };
}

/** Writes the pod's ServiceAccount, Deployment, ReplicaSet and the pod itself, running and ready. */
export async function applyWorkload(client: KubernetesClient, pod: Pod, options: WorkloadOptions = {}): Promise<void> {
  const { namespace, deployment, address } = pod;
  const labels = { app: deployment, ...options.labels };
  const template = { metadata: { labels }, spec: podSpec(deployment) };
  const apps = (kind: string, name: string, owner?: StoredObject): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace, labels, ...owners(owner) },
    spec: { replicas: 1, selector: { matchLabels: { app: deployment } }, template },
  });
  await client.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: deployment, namespace } });
  const owner = await client.apply(apps('Deployment', deployment));
  const replicaSet = await client.apply(apps('ReplicaSet', `${deployment}-${TEMPLATE_HASH}`, owner));
  const metadata = {
    ...podReference(pod).metadata,
    labels: { ...labels, 'pod-template-hash': TEMPLATE_HASH },
    ...(options.annotations ? { annotations: options.annotations } : {}),
    ...owners(replicaSet),
  };
  await client.apply({ ...podReference(pod), metadata, spec: podSpec(deployment) });
  await client.patchStatus(podReference(pod), runningStatus(address));
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
