import type { MeshPolicy } from './mesh-policy.ts';
import type { EndpointSlice, Namespace, Node, Pod, PodController, Service } from './model.ts';

/** Everything a source (files, Kubernetes) can tell. */
export type MeshObject = Service | EndpointSlice | Pod | PodController | Namespace | Node | MeshPolicy;

export interface ObjectRef {
  readonly kind: MeshObject['kind'];
  readonly namespace: string;
  readonly name: string;
}
