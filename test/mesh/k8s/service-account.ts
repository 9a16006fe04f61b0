/** ServiceAccounts of a bed, with rights that tests change. */
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { ApiBed } from './api-bed.ts';

/** One rule of a ClusterRole. */
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

const RBAC = 'rbac.authorization.k8s.io';
const NAMESPACE = 'lazyscope';

const reading = (group: string, ...resources: string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs: ['list', 'watch'],
});

/** Every right that the Kubernetes source needs in direct mode. */
export const EVERYTHING: readonly Rule[] = [
  reading('', 'services', 'pods', 'nodes', 'namespaces'),
  reading('discovery.k8s.io', 'endpointslices'),
  reading('apps', 'replicasets', 'deployments', 'statefulsets', 'daemonsets'),
  reading('batch', 'jobs', 'cronjobs'),
];

const account = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace: NAMESPACE },
});

/** Sets what the account may do; it is made where it is new. @returns a token of it */
export async function grant(api: ApiBed, name: string, rules: readonly Rule[]): Promise<string> {
  const { client } = api;
  await api.namespace(NAMESPACE);
  await client.applyAll([
    account(name),
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
    },
  ]);
  return client.serviceAccountToken(NAMESPACE, name);
}

/** Makes the account anew: its tokens are invalid, which the API server notices within 10 s. @returns a new token */
export async function replace(api: ApiBed, name: string): Promise<string> {
  await api.client.delete(account(name));
  await api.client.apply(account(name));
  return api.client.serviceAccountToken(NAMESPACE, name);
}

/** Applies manifests. @param yaml documents with ServiceAccounts before who binds them */
export async function applyYaml(api: ApiBed, yaml: string): Promise<void> {
  for (const document of parseAllDocuments(yaml)) await api.client.apply(document.toJS());
}
