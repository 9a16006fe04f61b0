/** The parts of the keys that everything is found by: `namespace/Kind/name` of workloads, `namespace/host` of services. */
import type { ServiceKey, WorkloadKey } from './model.ts';

/** The namespace, which both kinds of key begin with. */
export function namespaceOf(key: WorkloadKey | ServiceKey): string {
  return key.slice(0, key.indexOf('/'));
}

/** The host that a service is called by. */
export function hostOf(service: ServiceKey): string {
  return service.slice(service.indexOf('/') + 1);
}
