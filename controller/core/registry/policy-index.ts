import type { ObjectRef } from '../mesh-object.ts';
import type {
  AuthorizationPolicy,
  ConfigMap,
  DestinationRule,
  MeshPolicy,
  NetworkPolicy,
  Sidecar,
  VirtualService,
} from '../mesh-policy.ts';
import type { WorkloadKey } from '../model.ts';
import { HostTable } from './host-table.ts';
import { ObjectTable } from './object-table.ts';

/** What is kept here. ServiceEntries are hosts, and have an index of their own. */
type Policy = Exclude<MeshPolicy, { readonly kind: 'ServiceEntry' }>;

/** What one object's change concerns. */
export interface PolicyChange {
  /** Something that is not ours. */
  readonly isForeign: boolean;
  /** Whose Sidecar of ours came, changed or went. */
  readonly workloads: readonly WorkloadKey[];
}

const FOREIGN: PolicyChange = { isForeign: true, workloads: [] };
const NOTHING: PolicyChange = { isForeign: false, workloads: [] };

/** Objects that decide who may be lazy and how. */
export class PolicyIndex {
  readonly #sidecars = new ObjectTable<Sidecar>((object) => object);
  readonly #virtualServices = new HostTable<VirtualService>();
  readonly #destinationRules = new ObjectTable<DestinationRule>((object) => object);
  readonly #authorizationPolicies = new ObjectTable<AuthorizationPolicy>((object) => object);
  readonly #networkPolicies = new ObjectTable<NetworkPolicy>((object) => object);
  readonly #configMaps = new ObjectTable<ConfigMap>((object) => object);

  apply(object: Policy): PolicyChange {
    switch (object.kind) {
      case 'Sidecar':
        return sidecarChange(this.#sidecars.apply(object), object);
      case 'VirtualService':
        this.#virtualServices.apply(object);
        break;
      case 'DestinationRule':
        this.#destinationRules.apply(object);
        break;
      case 'AuthorizationPolicy':
        this.#authorizationPolicies.apply(object);
        break;
      case 'NetworkPolicy':
        this.#networkPolicies.apply(object);
        break;
      case 'ConfigMap':
        this.#configMaps.apply(object);
        break;
    }
    return FOREIGN;
  }

  delete(kind: Policy['kind'], { namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): PolicyChange {
    switch (kind) {
      case 'Sidecar':
        return sidecarChange(this.#sidecars.delete(namespace, name), undefined);
      case 'VirtualService':
        return this.#virtualServices.delete(namespace, name) ? FOREIGN : NOTHING;
      case 'DestinationRule':
        return this.#destinationRules.delete(namespace, name) ? FOREIGN : NOTHING;
      case 'AuthorizationPolicy':
        return this.#authorizationPolicies.delete(namespace, name) ? FOREIGN : NOTHING;
      case 'NetworkPolicy':
        return this.#networkPolicies.delete(namespace, name) ? FOREIGN : NOTHING;
      case 'ConfigMap':
        return this.#configMaps.delete(namespace, name) ? FOREIGN : NOTHING;
    }
  }

  /** Those that we wrote, of every namespace. */
  *managedSidecars(): Iterable<Sidecar> {
    for (const sidecar of this.#sidecars.all()) if (sidecar.managed) yield sidecar;
  }

  /** Ours and others'. */
  sidecarsIn(namespace: string): Iterable<Sidecar> {
    return this.#sidecars.in(namespace);
  }

  /** Those of sidecars (not of gateways alone) that name the host, exactly or by wildcard; sorted. */
  virtualServicesFor(host: string): readonly VirtualService[] {
    const found = this.#virtualServices.naming(host).filter(({ isMesh }) => isMesh);
    return found.sort((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
  }

  destinationRules(): Iterable<DestinationRule> {
    return this.#destinationRules.all();
  }

  destinationRulesIn(namespace: string): Iterable<DestinationRule> {
    return this.#destinationRules.in(namespace);
  }

  authorizationPolicies(): Iterable<AuthorizationPolicy> {
    return this.#authorizationPolicies.all();
  }

  networkPolicies(): Iterable<NetworkPolicy> {
    return this.#networkPolicies.all();
  }

  virtualService(namespace: string, name: string): VirtualService | undefined {
    return this.#virtualServices.get(namespace, name);
  }

  hasConfigMap(namespace: string, name: string): boolean {
    return this.configMap(namespace, name) !== undefined;
  }

  configMap(namespace: string, name: string): ConfigMap | undefined {
    return this.#configMaps.get(namespace, name);
  }
}

/** A Sidecar may become ours or cease to be by its label alone. */
function sidecarChange(before: Sidecar | undefined, after: Sidecar | undefined): PolicyChange {
  const both = [before, after].filter((sidecar) => sidecar !== undefined);
  return {
    isForeign: both.some(({ managed }) => managed === undefined),
    workloads: [...new Set(both.flatMap(({ managed }) => managed?.workload ?? []))],
  };
}
