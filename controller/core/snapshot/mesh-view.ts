import type { Endpoint, Service, ServiceKey } from '../model.ts';
import type { PodIdentity } from '../pod-identity.ts';

/** What exists, as far as snapshots depend on it. The registry is one. */
export interface MeshView {
  readonly services: ReadonlyMap<ServiceKey, Service>;
  /** Same array (identity) until the endpoints of that service port change. Unknown: empty. */
  endpoints(service: ServiceKey, port: number): readonly Endpoint[];
  /** Every port number ever declared HTTP by a service; grows only. */
  readonly httpPorts: ReadonlySet<number>;
  /** Another number whenever services, endpoints or HTTP ports differ. */
  readonly revision: number;
  /** The pods' identities, where the mesh has mTLS: one for each ServiceAccount that runs any. */
  identities?(): Iterable<PodIdentity>;
}
