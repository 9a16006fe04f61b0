import { addressesOf } from '../addresses.ts';
import type { Endpoint, Resource, Service, ServiceKey, ServicePort, SocketAddress } from '../model.ts';
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT, LISTENER } from '../model.ts';
import { relayedCluster, serviceCluster } from '../resources/cluster.ts';
import { loadAssignment } from '../resources/endpoint.ts';
import { tcpListener } from '../resources/listener.ts';
import { clusterName, EGRESS_CLUSTER, listenerName } from '../resources/names.ts';
import { relayCluster, tableCluster } from '../resources/relay.ts';
import type { ServicePortRef } from './held-ports.ts';
import { asRelayed, type Encoding, encodeResource } from './resource-encoder.ts';
import { byName, type ResourceMap } from './resource-map.ts';

interface Assignment {
  readonly endpoints: readonly Endpoint[];
  readonly resource: Resource;
}

/** What has been encoded of one Service object. It goes with the object. */
interface Encoded {
  readonly resources: Map<string, Resource>;
  readonly assignments: Map<number, Assignment>;
}

/** Who serves the sidecars: the controller itself, or istiod. */
export type Dialect = 'direct' | 'istio';

interface PodListeners {
  readonly httpPorts: number;
  readonly resources: readonly Resource[];
}

/** The resources that concern one service port. Each is encoded once and shared by every client and every build. */
export class ServiceResources {
  readonly dialect: Dialect;
  readonly #encoding: Encoding;
  readonly #egress: readonly SocketAddress[];
  readonly #encoded = new WeakMap<Service, Encoded>();
  /** By array of endpoints; HTTP ports only grow, so their number tells whether there are new ones. */
  readonly #podListeners = new WeakMap<readonly Endpoint[], PodListeners>();

  constructor(encoding: Encoding, egress: readonly SocketAddress[], dialect: Dialect) {
    this.dialect = dialect;
    this.#encoding = encoding;
    this.#egress = egress;
  }

  /** The learned form. */
  cluster(service: Service, port: ServicePort): Resource {
    return this.#once(service, `cluster ${port.port}`, () => {
      return encodeResource(this.#encoding, CLUSTER, clusterName(service.host, port), serviceCluster(service, port));
    });
  }

  /** The form that leads to the egress. */
  relayedCluster(service: Service, port: ServicePort): Resource {
    return this.#once(service, `relayed ${port.port}`, () => {
      const message = relayedCluster(service, port, this.#egress);
      return asRelayed(encodeResource(this.#encoding, CLUSTER, clusterName(service.host, port), message));
    });
  }

  /** The entry of the egress's routing table. */
  relayCluster(service: Service, port: ServicePort): Resource {
    return this.#once(service, `table ${port.port}`, () => {
      const message = this.dialect === 'istio' ? tableCluster(service, port) : relayCluster(service, port);
      return encodeResource(this.#encoding, CLUSTER, clusterName(service.host, port), message);
    });
  }

  /** One TCP listener for each ClusterIP. */
  listeners(service: Service, port: ServicePort): readonly Resource[] {
    return addressesOf(service.clusterIPs).map((address) =>
      this.#once(service, `listener ${address} ${port.port}`, () => {
        const message = tcpListener(address, port.port, clusterName(service.host, port));
        return encodeResource(this.#encoding, LISTENER, listenerName(address, port.port), message);
      }),
    );
  }

  /**
   * One listener to the egress for each of a headless TCP service's pods that stand on HTTP ports. Clients dial the pods
   * themselves, so there is no other address to tell them by.
   */
  podListeners(endpoints: readonly Endpoint[], httpPorts: ReadonlySet<number>): readonly Resource[] {
    const known = this.#podListeners.get(endpoints);
    if (known?.httpPorts === httpPorts.size) return known.resources;
    const mixed = endpoints.filter(({ port }) => httpPorts.has(port));
    const resources = mixed.map(({ address, port }) => {
      const message = tcpListener(address, port, EGRESS_CLUSTER);
      return encodeResource(this.#encoding, LISTENER, listenerName(address, port), message);
    });
    this.#podListeners.set(endpoints, { httpPorts: httpPorts.size, resources });
    return resources;
  }

  /** The load assignments of those ports that are not headless. */
  assignments(
    view: { endpoints(service: ServiceKey, port: number): readonly Endpoint[] },
    refs: readonly ServicePortRef[],
  ): ResourceMap {
    const discovered = refs.filter(({ service }) => !service.headless);
    return byName(
      discovered.map(({ key, service, port }) => this.assignment(service, port, view.endpoints(key, port.port))),
    );
  }

  /** Encoded anew when the array is another one. */
  assignment(service: Service, port: ServicePort, endpoints: readonly Endpoint[]): Resource {
    const { assignments } = this.#encodedOf(service);
    const known = assignments.get(port.port);
    if (known?.endpoints === endpoints) return known.resource;
    const name = clusterName(service.host, port);
    const message = loadAssignment(name, endpoints);
    const resource = encodeResource(this.#encoding, CLUSTER_LOAD_ASSIGNMENT, name, message);
    assignments.set(port.port, { endpoints, resource });
    return resource;
  }

  #once(service: Service, key: string, encode: () => Resource): Resource {
    const { resources } = this.#encodedOf(service);
    const resource = resources.get(key) ?? encode();
    resources.set(key, resource);
    return resource;
  }

  #encodedOf(service: Service): Encoded {
    const known = this.#encoded.get(service);
    if (known) return known;
    const encoded: Encoded = { resources: new Map(), assignments: new Map() };
    this.#encoded.set(service, encoded);
    return encoded;
  }
}
