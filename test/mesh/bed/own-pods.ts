/** The pods of Lazyscope's own Deployments in a bed, where no controller of Kubernetes makes them of the manifests. */
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { MeshBed } from './mesh-bed.ts';

interface Template {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: { readonly serviceAccountName: string };
}

const EXCLUDED_PORTS = 'traffic.sidecar.istio.io/excludeInboundPorts';

/** A pod as the Deployment's template says: labels, ServiceAccount and what its sidecar leaves alone. */
export async function ownPod(mesh: MeshBed, deployment: KubernetesObject, index: number): Promise<Pod> {
  const { name, namespace = '' } = deployment.metadata;
  const { metadata, spec } = (deployment['spec'] as { readonly template: Template }).template;
  if (spec.serviceAccountName !== name) throw new Error(`A bed's ServiceAccount is named as its Deployment, ${name}`);
  const excluded = metadata.annotations[EXCLUDED_PORTS] ?? '';
  return mesh.pod(`${name}-${index}`, {
    namespace,
    deployment: name,
    labels: metadata.labels,
    excludedPorts: excluded.split(',').filter(Boolean).map(Number),
  });
}
