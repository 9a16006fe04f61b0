import type { Resource, ServiceKey, Snapshot } from '../model.ts';
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT, LISTENER, ROUTE_CONFIGURATION } from '../model.ts';
import type { ServicePortRef } from './held-ports.ts';
import { IdentityResources } from './identity-resources.ts';
import type { MeshView } from './mesh-view.ts';
import type { Encoding } from './resource-encoder.ts';
import { byName, extend, NO_RESOURCES, type ResourceMap, unlessEqual } from './resource-map.ts';
import type { ServiceResources } from './service-resources.ts';

/** The part that is as it was while services and endpoints are. */
interface Ports {
  readonly services: ReadonlyMap<ServiceKey, unknown>;
  readonly revision: number;
  readonly clusters: ResourceMap;
  readonly assignments: ResourceMap;
}

/** Builds the egress's routing table: every service port, and where the mesh has them the identities of its pods. */
export class RelayTable {
  readonly #resources: ServiceResources;
  readonly #identities: IdentityResources;
  #ports: Ports | undefined;
  #identityResources: readonly Resource[] | undefined;
  #table: Snapshot | undefined;

  constructor(encoding: Encoding, resources: ServiceResources) {
    this.#resources = resources;
    this.#identities = new IdentityResources(encoding);
  }

  /** The very snapshot of before, or its unchanged parts, as far as nothing has changed. */
  snapshot(view: MeshView): Snapshot {
    const ports = this.#portsOf(view);
    const identities = this.#identities.of(view.identities?.() ?? []);
    if (this.#table && this.#ports === ports && this.#identityResources === identities) return this.#table;
    this.#ports = ports;
    this.#identityResources = identities;
    this.#table = unlessEqual(this.#table, {
      [CLUSTER]: extend(ports.clusters, identities),
      [CLUSTER_LOAD_ASSIGNMENT]: ports.assignments,
      [LISTENER]: NO_RESOURCES,
      [ROUTE_CONFIGURATION]: NO_RESOURCES,
    });
    return this.#table;
  }

  #portsOf(view: MeshView): Ports {
    const { services, revision } = view;
    if (this.#ports?.services === services && this.#ports.revision === revision) return this.#ports;
    const refs = [...services].flatMap(([key, service]) => service.ports.map((port) => ({ key, service, port })));
    const clusters = byName(refs.map(({ service, port }) => this.#resources.relayCluster(service, port)));
    return { services, revision, clusters, assignments: this.#assignments(view, refs) };
  }

  /** In Istio mode the egress's sidecar knows the endpoints, and the egress dials original addresses. */
  #assignments(view: MeshView, refs: readonly ServicePortRef[]): ResourceMap {
    if (this.#resources.dialect === 'istio') return NO_RESOURCES;
    return this.#resources.assignments(view, refs);
  }
}
