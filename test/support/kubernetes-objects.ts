/** Kubernetes objects as the API server prints them, for tests that need some. */

/** An object as JSON or YAML has it. */
export type KubernetesObject = Readonly<Record<string, unknown>>;

/** A Service with one HTTP port. `spec` overrides. */
export function serviceObject(
  name: string,
  spec: KubernetesObject = {},
  metadata: KubernetesObject = {},
): KubernetesObject {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop', ...metadata },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports, ...spec },
  };
}

/** An EndpointSlice `<service>-abc` with one ready endpoint. `parts` override. */
export function endpointSliceObject(service: string, parts: KubernetesObject = {}): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${service}-abc`, namespace: 'shop', labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: ['10.1.0.10'], conditions: { ready: true } }],
    ...parts,
  };
}

/** A running Pod of a ReplicaSet. `parts` are merged into its metadata, spec and status. */
export function podObject(
  name: string,
  parts: { metadata?: KubernetesObject; spec?: KubernetesObject; status?: KubernetesObject } = {},
): KubernetesObject {
  const ownerReferences = [
    { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-5d4', uid: 'r1', controller: true },
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, ownerReferences, ...parts.metadata },
    spec: { ...parts.spec },
    status: { phase: 'Running', podIP: '10.1.0.10', podIPs: [{ ip: '10.1.0.10' }], ...parts.status },
  };
}

/** An Istio ServiceEntry with one HTTP port. `spec` overrides. */
export function serviceEntryObject(name: string, spec: KubernetesObject = {}): KubernetesObject {
  const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name, namespace: 'shop' },
    spec: { hosts: [`${name}.example.com`], addresses: ['10.200.0.10'], ports, resolution: 'NONE', ...spec },
  };
}
