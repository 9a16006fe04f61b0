import type { Endpoint, MeshObject, ObjectRef, Pod, Service, ServiceKey, Timestamp } from '../model.ts';
import { isHttp, type Mode } from '../model.ts';
import type { MeshEvent } from '../ports.ts';
import { ServiceIndex, serviceKey } from './service-index.ts';
import { WorkloadIndex } from './workload-index.ts';

/** Whom a batch of mesh events concerns, collected while it is applied. */
export interface RegistryChanges {
  /** Services that came, changed or went, or whose endpoints did. */
  readonly services: Set<ServiceKey>;
  /** Pods that came, changed or went. */
  readonly pods: Pod[];
  /** Something that every lazy sidecar holds changed: the HTTP ports, a TCP service on an HTTP port, a default mode. */
  everybody: boolean;
}

/** What exists in the mesh, as the source told it. Owned and changed by the pipeline only. */
export class Registry {
  readonly workloads: WorkloadIndex;
  readonly #index = new ServiceIndex();
  #revision = 0;

  constructor(options: { readonly defaultMode: Mode }) {
    this.workloads = new WorkloadIndex(options.defaultMode);
  }

  /** Applies events in order. */
  apply(batch: readonly MeshEvent[]): RegistryChanges {
    const changes: RegistryChanges = { services: new Set(), pods: [], everybody: false };
    for (const event of batch) {
      if (event.type === 'Applied') this.#applied(event.object, event.at, changes);
      else this.#deleted(event.ref, event.at, changes);
    }
    if (changes.services.size > 0) this.#revision += 1;
    return changes;
  }

  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#index.services;
  }

  /** Every port number ever declared HTTP; grows only. */
  get httpPorts(): ReadonlySet<number> {
    return this.#index.httpPorts;
  }

  /** Grows with every change of a service or of endpoints. */
  get revision(): number {
    return this.#revision;
  }

  endpoints(service: ServiceKey, port: number): readonly Endpoint[] {
    return this.#index.endpoints(service, port);
  }

  /** See {@link ServiceIndex.byHost}. */
  serviceByHost(host: string, namespace: string): Service | undefined {
    return this.#index.byHost(host, namespace);
  }

  serviceByClusterIP(address: string): Service | undefined {
    return this.#index.byClusterIP(address);
  }

  headlessByEndpoint(address: string, port: number): Service | undefined {
    return this.#index.headlessByEndpoint(address, port);
  }

  /** Keeps the listener of a port that a connected sidecar still has from an earlier life of this controller. */
  keepHttpPort(port: number): boolean {
    if (this.#index.httpPorts.has(port)) return false;
    this.#index.httpPorts.add(port);
    this.#revision += 1;
    return true;
  }

  #applied(object: MeshObject, at: Timestamp, changes: RegistryChanges): void {
    switch (object.kind) {
      case 'Service':
        this.#serviceApplied(object, changes);
        break;
      case 'EndpointSlice':
        for (const name of this.#index.applySlice(object)) this.#endpointsChanged(object.namespace, name, changes);
        break;
      case 'Pod':
        this.workloads.applyPod(object, at);
        changes.pods.push(object);
        break;
      case 'ReplicaSet':
      case 'Job':
        changes.pods.push(...this.workloads.applyController(object, at));
        break;
      case 'Namespace':
        this.workloads.applyNamespace(object);
        changes.everybody = true;
        break;
      case 'Node':
        this.workloads.applyNode(object);
        break;
    }
  }

  #deleted(ref: ObjectRef, at: Timestamp, changes: RegistryChanges): void {
    switch (ref.kind) {
      case 'Service': {
        const service = this.#index.delete(ref.namespace, ref.name);
        if (service) this.#serviceGone(service, changes);
        break;
      }
      case 'EndpointSlice': {
        const name = this.#index.deleteSlice(ref.namespace, ref.name);
        if (name !== undefined) this.#endpointsChanged(ref.namespace, name, changes);
        break;
      }
      case 'Pod': {
        const pod = this.workloads.deletePod(ref.namespace, ref.name, at);
        if (pod) changes.pods.push(pod);
        break;
      }
      case 'ReplicaSet':
      case 'Job':
        this.workloads.deleteController(ref.kind, ref.namespace, ref.name);
        break;
      case 'Namespace':
        this.workloads.deleteNamespace(ref.name);
        changes.everybody = true;
        break;
      case 'Node':
        this.workloads.deleteNode(ref.name);
        break;
    }
  }

  #serviceApplied(service: Service, changes: RegistryChanges): void {
    const before = this.services.get(serviceKey(service));
    const portsBefore = this.httpPorts.size;
    this.#index.apply(service);
    changes.services.add(serviceKey(service));
    if (this.httpPorts.size > portsBefore || this.#onMixedPort(service)) changes.everybody = true;
    if (before && this.#onMixedPort(before)) changes.everybody = true;
    // Its endpoints may have been told before it.
    if (service.headless && this.#hasPodsOnMixedPort(serviceKey(service), service)) changes.everybody = true;
  }

  #serviceGone(service: Service, changes: RegistryChanges): void {
    changes.services.add(serviceKey(service));
    if (this.#onMixedPort(service)) changes.everybody = true;
  }

  /** A TCP port whose number is HTTP elsewhere has a listener in every sidecar, learned or not. */
  #onMixedPort(service: Service): boolean {
    return service.ports.some(({ port, protocol }) => !isHttp(protocol) && this.httpPorts.has(port));
  }

  #endpointsChanged(namespace: string, serviceName: string, changes: RegistryChanges): void {
    const key = this.#index.byName(namespace, serviceName);
    const service = key === undefined ? undefined : this.services.get(key);
    if (key === undefined || !service) return;
    changes.services.add(key);
    if (service.headless && this.#hasPodsOnMixedPort(key, service)) changes.everybody = true;
  }

  /** Each pod of a headless TCP service on an HTTP port has a listener in every sidecar. */
  #hasPodsOnMixedPort(key: ServiceKey, service: Service): boolean {
    const tcpPorts = service.ports.filter(({ protocol }) => !isHttp(protocol));
    return tcpPorts.some(({ port }) => this.endpoints(key, port).some((endpoint) => this.httpPorts.has(endpoint.port)));
  }
}
