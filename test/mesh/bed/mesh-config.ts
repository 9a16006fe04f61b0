/** The mesh-wide settings of a bed, where a mesh has them: a ConfigMap that istiod watches, and a PeerAuthentication. */
import type { MutualTls } from './istiod.ts';
import { ROOT_NAMESPACE } from './istiod.ts';
import type { KubernetesClient } from './kubernetes-client.ts';

/** Fields of Istio's MeshConfig. https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ */
export type MeshConfig = Readonly<Record<string, unknown>>;

/** Writes them; also to change them while istiod runs. */
export async function applyMeshConfig(client: KubernetesClient, mutualTls: MutualTls, more: MeshConfig): Promise<void> {
  const mesh = {
    rootNamespace: ROOT_NAMESPACE,
    trustDomain: 'cluster.local',
    enableAutoMtls: mutualTls === 'Strict',
    enableTracing: false,
    ingressControllerMode: 'OFF',
    outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
    ...more,
  };
  await client.applyAll([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ROOT_NAMESPACE } },
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio', namespace: ROOT_NAMESPACE },
      data: { mesh: JSON.stringify(mesh) },
    },
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: 'default', namespace: ROOT_NAMESPACE },
      // Also PERMISSIVE would give a plain Envoy listeners with certificates that it has no agent for.
      spec: { mtls: { mode: mutualTls === 'Strict' ? 'STRICT' : 'DISABLE' } },
    },
  ]);
}
