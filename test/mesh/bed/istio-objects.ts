/** Objects of `networking.istio.io` that a mesh's users write. https://istio.io/latest/docs/reference/config/networking/ */
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';

function networking(kind: string, name: string, spec: object, namespace: string): KubernetesObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace }, spec };
}

export interface EntryOptions {
  readonly host: string;
  /** Empty: it is known by Host or server name alone. */
  readonly addresses?: readonly string[];
  /** Port by `PROTOCOL`. */
  readonly ports: Readonly<Record<string, number>>;
  readonly resolution: 'NONE' | 'STATIC' | 'DNS';
  /** Where it really is. */
  readonly endpoints?: readonly string[];
}

/** A ServiceEntry, named as the first part of its host, in namespace `shop`. */
export function serviceEntry({ host, addresses, ports, resolution, endpoints }: EntryOptions): KubernetesObject {
  const spec = {
    hosts: [host],
    ...(addresses ? { addresses } : {}),
    location: 'MESH_EXTERNAL',
    resolution,
    ports: Object.entries(ports).map(([protocol, number]) => ({ name: protocol.toLowerCase(), number, protocol })),
    ...(endpoints ? { endpoints: endpoints.map((address) => ({ address })) } : {}),
  };
  return networking('ServiceEntry', host.split('.')[0] ?? host, spec, 'shop');
}

/** A VirtualService for sidecars, named as its host. @param http its routes */
export function virtualService(host: string, http: readonly object[], namespace = 'shop'): KubernetesObject {
  return networking('VirtualService', host, { hosts: [host], http }, namespace);
}

/** A DestinationRule, named as its host. */
export function destinationRule(host: string, more: object, namespace = 'shop'): KubernetesObject {
  return networking('DestinationRule', host, { host, ...more }, namespace);
}
