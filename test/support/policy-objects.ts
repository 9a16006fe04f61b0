/** Small named objects of Istio's for tests: a field that a test does not care about has a plain default. */
import type { ServiceEntry, Sidecar, VirtualService } from '../../controller/core/mesh-policy.ts';
import type { PortProtocol, WorkloadKey } from '../../controller/core/model.ts';

/** A ServiceEntry of one host, with ports like `{ 80: 'HTTP' }`. */
export function serviceEntry(
  host: string,
  ports: Readonly<Record<number, PortProtocol>>,
  options: Partial<ServiceEntry> = {},
): ServiceEntry {
  return {
    kind: 'ServiceEntry',
    namespace: 'shop',
    name: host.replace('*.', ''),
    hosts: [host],
    addresses: [],
    ports: Object.entries(ports).map(([port, protocol]) => ({ name: `p${port}`, port: Number(port), protocol })),
    resolution: 'STATIC',
    ...options,
  };
}

/** A VirtualService of one host, for sidecars, with HTTP routes. */
export function virtualService(host: string, options: Partial<VirtualService> = {}): VirtualService {
  const name = host.replace('*.', '');
  return { kind: 'VirtualService', namespace: 'shop', name, hosts: [host], isMesh: true, routesHttp: true, ...options };
}

/** A Sidecar; one of ours where a workload is given. */
export function sidecar(name: string, workload?: WorkloadKey): Sidecar {
  const managed = workload === undefined ? {} : { managed: { workload, routed: [], warm: [], spec: '{}' } };
  return { kind: 'Sidecar', namespace: 'shop', name, ...managed };
}
