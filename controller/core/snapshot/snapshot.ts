/** What each xDS client should hold, from what exists and what the client may see. */

import type { Resource, Scope, Service, ServiceKey, Snapshot, SocketAddress } from '../model.ts';
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT, isHttp, LISTENER, ROUTE_CONFIGURATION } from '../model.ts';
import { type CommonResources, CommonResourcesBuilder } from './common-resources.ts';
import { allPorts, hasOwnListener, type ServicePortRef, scopedPorts } from './held-ports.ts';
import type { MeshView } from './mesh-view.ts';
import { RelayTable } from './relay-table.ts';
import type { Encoding } from './resource-encoder.ts';
import { extend, type ResourceMap, unlessEqual } from './resource-map.ts';
import { RouteResources } from './route-resources.ts';
import { type Dialect, ServiceResources } from './service-resources.ts';

export interface SnapshotOptions extends Encoding {
  /** Where sidecars reach the egresses. */
  readonly egress: readonly SocketAddress[];
  /** Default `direct`. In Istio mode there are routing tables alone: sidecars are istiod's. */
  readonly dialect?: Dialect;
}

/** What one revision of the mesh gives to clients alike. */
interface Generation {
  readonly services: ReadonlyMap<ServiceKey, Service>;
  readonly revision: number;
  readonly common: CommonResources;
  /** Load assignments by port, as far as asked for: looked up once for all whose scopes have it. */
  readonly assignments: Map<Service, Map<number, Resource>>;
  /** By namespace of the client; as far as asked for, now and in the revision before. */
  readonly eager: Map<string, Snapshot>;
  readonly eagerBefore: ReadonlyMap<string, Snapshot>;
}

interface Lazy {
  readonly generation: Generation;
  readonly namespace: string;
  /** What of the scope existed. */
  readonly held: readonly ServicePortRef[];
  readonly snapshot: Snapshot;
}

/** What a lazy snapshot is asked for. */
interface Wanted {
  readonly view: MeshView;
  readonly generation: Generation;
  readonly scope: Scope;
  readonly namespace: string;
}

/** Whether all but endpoints is certainly as it was. */
function isSameButEndpoints(known: Lazy, { view, generation, scope, namespace }: Wanted): boolean {
  return (
    known.generation.common === generation.common &&
    known.namespace === namespace &&
    // What did not exist then may exist now.
    known.held.length === scope.warm.length + scope.routed.length &&
    known.held.every(({ key, service }) => view.services.get(key) === service)
  );
}

/**
 * Builds snapshots. A lazy sidecar's costs what its scope and the common resources are long, not what the mesh is;
 * resources are encoded once and shared, and a part without changes is the same Map as before.
 */
export class SnapshotBuilder {
  readonly #services: ServiceResources;
  readonly #routes: RouteResources;
  readonly #common: CommonResourcesBuilder;
  readonly #relayTable: RelayTable;
  /** The newest snapshot of each lazy scope: its pods share it, and its unchanged parts keep their identity. */
  readonly #lazy = new WeakMap<Scope, Lazy>();
  #generation: Generation | undefined;

  constructor(options: SnapshotOptions) {
    this.#services = new ServiceResources(options, options.egress, options.dialect ?? 'direct');
    this.#routes = new RouteResources(options);
    this.#common = new CommonResourcesBuilder(options, this.#services, this.#routes);
    this.#relayTable = new RelayTable(options, this.#services);
  }

  /**
   * A sidecar's snapshot. Warm and routed ports count alike: each Envoy's own acknowledgement separates the phases.
   * @param namespace of the pod: short host names mean services of it
   */
  sidecar(view: MeshView, scope: Scope, namespace: string): Snapshot {
    const generation = this.#generationOf(view);
    if (scope.kind === 'Eager') return this.#eager(view, generation, namespace);
    const known = this.#lazy.get(scope);
    if (known?.generation === generation && known.namespace === namespace) return known.snapshot;
    const lazy =
      known && isSameButEndpoints(known, { view, generation, scope, namespace })
        ? { ...known, generation, snapshot: this.#withEndpoints(view, generation, known) }
        : this.#lazyOf({ view, generation, scope, namespace }, known?.snapshot);
    this.#lazy.set(scope, lazy);
    return lazy.snapshot;
  }

  #lazyOf({ view, generation, scope, namespace }: Wanted, before: Snapshot | undefined): Lazy {
    const held = scopedPorts(view.services, scope);
    const built = this.#build(view, generation.common, held, namespace);
    return { generation, namespace, held, snapshot: unlessEqual(before, built) };
  }

  /** Most changes of a mesh are pods that come and go: of a snapshot they concern nothing but load assignments. */
  #withEndpoints(view: MeshView, generation: Generation, { held, snapshot }: Lazy): Snapshot {
    const before = snapshot[CLUSTER_LOAD_ASSIGNMENT];
    const changed: Resource[] = [];
    for (const ref of held) {
      if (ref.service.headless) continue;
      const assignment =
        generation.assignments.get(ref.service)?.get(ref.port.port) ?? this.#assignment(view, generation, ref);
      if (before.get(assignment.name)?.version !== assignment.version) changed.push(assignment);
    }
    if (changed.length === 0) return snapshot;
    return { ...snapshot, [CLUSTER_LOAD_ASSIGNMENT]: extend(before, changed) };
  }

  #assignment(view: MeshView, { assignments }: Generation, { key, service, port }: ServicePortRef): Resource {
    const assignment = this.#services.assignment(service, port, view.endpoints(key, port.port));
    const known = assignments.get(service);
    if (known) known.set(port.port, assignment);
    else assignments.set(service, new Map([[port.port, assignment]]));
    return assignment;
  }

  /** An egress's snapshot: every service port, in direct mode their endpoints, in Istio mode the pods' identities. */
  relayTable(view: MeshView): Snapshot {
    return this.#relayTable.snapshot(view);
  }

  /** The answer to a client that asks for routes under a name that no port has. */
  unknownRoute(name: string): Resource {
    return this.#routes.empty(name);
  }

  #generationOf(view: MeshView): Generation {
    const known = this.#generation;
    const { services, revision } = view;
    if (known?.services === services && known.revision === revision) return known;
    const common = this.#common.build(view, known?.common);
    this.#generation = {
      services,
      revision,
      common,
      assignments: new Map(),
      eager: new Map(),
      eagerBefore: known?.eager ?? new Map(),
    };
    return this.#generation;
  }

  /** Built once for each revision and namespace; only the routes differ between namespaces, the rest is one Map. */
  #eager(view: MeshView, { common, eager, eagerBefore }: Generation, namespace: string): Snapshot {
    const known = eager.get(namespace);
    if (known) return known;
    const [sibling] = eager.values();
    const built = unlessEqual(sibling, this.#build(view, common, allPorts(view.services), namespace));
    const snapshot = unlessEqual(eagerBefore.get(namespace), built);
    eager.set(namespace, snapshot);
    return snapshot;
  }

  #build(view: MeshView, common: CommonResources, held: readonly ServicePortRef[], namespace: string): Snapshot {
    const clusters = held.map(({ service, port }) => this.#services.cluster(service, port));
    return {
      [CLUSTER]: extend(common.clusters, clusters),
      [CLUSTER_LOAD_ASSIGNMENT]: this.#services.assignments(view, held),
      [LISTENER]: this.#listeners(common, held),
      [ROUTE_CONFIGURATION]: this.#routesOf(common, held, namespace),
    };
  }

  /** Where two services claim one ClusterIP and port, the first has the listener. */
  #listeners(common: CommonResources, held: readonly ServicePortRef[]): ResourceMap {
    const own = held
      .filter(({ service, port }) => hasOwnListener(service, port))
      .flatMap(({ service, port }) => this.#services.listeners(service, port))
      .filter(({ name }) => !common.listeners.has(name));
    return extend(common.listeners, own.reverse());
  }

  #routesOf(common: CommonResources, held: readonly ServicePortRef[], namespace: string): ResourceMap {
    const client = { namespace, namespaces: common.namespaces };
    const httpPorts = Map.groupBy(
      held.filter(({ port }) => isHttp(port.protocol)),
      ({ port }) => port.port,
    );
    const learned = [...httpPorts].map(([port, refs]) => {
      return this.#routes.routes(
        port,
        refs.map(({ service }) => service),
        client,
      );
    });
    return extend(common.routes, learned);
  }
}
