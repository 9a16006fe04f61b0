/** Small named mesh objects for tests: a field that a test does not care about has a plain default. */
import { asAddresses } from '../../controller/core/addresses.ts';
import type { AccessLogEntry, EndpointSlice, Pod, PortProtocol, Service } from '../../controller/core/model.ts';

const CLUSTER_DOMAIN = 'cluster.local';

/** A Service `name.namespace` with ports like `{ 80: 'HTTP' }`; give no address for a headless one. */
export function service(
  name: string,
  ports: Readonly<Record<number, PortProtocol>>,
  options: { readonly namespace?: string; readonly clusterIP?: string } = {},
): Service {
  const namespace = options.namespace ?? 'shop';
  return {
    kind: 'Service',
    namespace,
    name,
    host: `${name}.${namespace}.svc.${CLUSTER_DOMAIN}`,
    clusterIPs: asAddresses(options.clusterIP === undefined ? [] : [options.clusterIP]),
    headless: options.clusterIP === undefined,
    ports: Object.entries(ports).map(([port, protocol]) => ({ name: `p${port}`, port: Number(port), protocol })),
  };
}

/** One slice of a service's endpoints; every port targets itself. */
export function slice(
  of: Service,
  addresses: readonly string[],
  options: { readonly ready?: boolean } = {},
): EndpointSlice {
  return {
    kind: 'EndpointSlice',
    namespace: of.namespace,
    name: `${of.name}-1`,
    service: of.name,
    ports: of.ports.map(({ name, port }) => ({ name, port })),
    endpoints: addresses.map((address) => (options.ready === false ? `${address}!` : address)).join(' '),
  };
}

/** A pod of the Deployment `deployment`, known through its ReplicaSet's hash. */
export function pod(name: string, address: string, options: Partial<Pod> = {}): Pod {
  const deployment = name.replace(/-\d+$/, '');
  return {
    kind: 'Pod',
    namespace: 'shop',
    name,
    addresses: asAddresses([address]),
    owner: { kind: 'ReplicaSet', name: `${deployment}-5d4f` },
    hostNetwork: false,
    finished: false,
    serviceAccount: deployment,
    ...options,
    labels: { 'pod-template-hash': '5d4f', ...(options.labels ?? { app: deployment }) },
  };
}

/** An answered entry from `source` (an address) to `destination` (`address:port`). */
export function entry(source: string, destination: string, options: Partial<AccessLogEntry> = {}): AccessLogEntry {
  const [address = '', port] = destination.split(':');
  return {
    phase: 'Start',
    reporter: 'egress~10.0.9.9~egress-0.lazyscope~lazyscope.svc.cluster.local',
    startTime: 1_000,
    source: { address: source, port: 40_000 },
    destination: { address, port: Number(port) },
    protocol: 'TCP',
    answered: true,
    counters: { connections: 1, requests: 0, bytesSent: 10, bytesReceived: 20, errors: 0 },
    ...options,
  };
}
