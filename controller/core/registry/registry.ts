import type { MeshObject, ObjectRef } from '../mesh-object.ts';
import type { ServiceEntry } from '../mesh-policy.ts';
import type {
  Endpoint,
  Pod,
  PodController,
  ScopedPort,
  Service,
  ServiceKey,
  ServicePort,
  Timestamp,
  WorkloadKey,
} from '../model.ts';
import { isHttp, type Mode } from '../model.ts';
import type { PodIdentity } from '../pod-identity.ts';
import type { MeshEvent } from '../ports.ts';
import { IdentityIndex, type IdentityKey } from './identity-index.ts';
import { httpPortsOf, type MeshHost, VIRTUAL_HOST_PORT } from './mesh-host.ts';
import { type AddressedHost, MeshHostIndex } from './mesh-host-index.ts';
import { type PolicyChange, PolicyIndex } from './policy-index.ts';
import { type HeadlessPort, ServiceIndex, serviceKey } from './service-index.ts';
import { WorkloadIndex } from './workload-index.ts';

/** Whose services there are: in `direct` mode Kubernetes' alone, in `istio` mode also those that Istio's objects make. */
export type Dialect = 'direct' | 'istio';

/** Whom a batch of mesh events concerns, collected while it is applied. */
export interface RegistryChanges {
  /** Services that came, changed or went, or whose endpoints did. */
  readonly services: Set<ServiceKey>;
  /** Pods that came, changed or went. */
  readonly pods: Pod[];
  /** Something that every lazy sidecar holds changed: the HTTP ports, a TCP service on an HTTP port, a default mode. */
  everybody: boolean;
  /** Workloads with such a pod, before or now, or with another mode. */
  readonly workloads: Set<WorkloadKey>;
  /** Hosts of ServiceEntries and VirtualServices that came, changed or went. */
  readonly hosts: Set<ServiceKey>;
  /** Workloads whose Sidecar of ours came, changed or went. */
  readonly sidecars: Set<WorkloadKey>;
  /** An object that only Istio mode reads came, changed or went; Sidecars of ours apart. */
  policies: boolean;
  /** Pods of an identity came, went or changed their addresses. None in direct mode. */
  readonly identities: Set<IdentityKey>;
}

function noChanges(): RegistryChanges {
  return {
    services: new Set(),
    pods: [],
    everybody: false,
    workloads: new Set(),
    hosts: new Set(),
    sidecars: new Set(),
    policies: false,
    identities: new Set(),
  };
}

const NO_HOSTS: ReadonlyMap<ServiceKey, MeshHost> = new Map();

/** What exists in the mesh, as the source told it. Owned and changed by the pipeline only. */
export class Registry {
  readonly workloads: WorkloadIndex;
  readonly policies = new PolicyIndex();
  /** None in direct mode, which has no mTLS. */
  readonly #identities: IdentityIndex | undefined;
  readonly #index = new ServiceIndex();
  readonly #hosts = new MeshHostIndex((host) => this.#index.hasHost(host));
  readonly #dialect: Dialect;
  #revision = 0;

  /** @param options `dialect` is `direct` by default */
  constructor(options: { readonly defaultMode: Mode; readonly dialect?: Dialect }) {
    this.workloads = new WorkloadIndex(options.defaultMode);
    this.#dialect = options.dialect ?? 'direct';
    if (this.#dialect === 'direct') return;
    this.#identities = new IdentityIndex((namespace) => this.workloads.podsIn(namespace));
    this.#index.httpPorts.add(VIRTUAL_HOST_PORT);
  }

  /** Applies events in order. */
  apply(batch: readonly MeshEvent[]): RegistryChanges {
    const changes = noChanges();
    for (const event of batch) {
      if (event.type === 'Applied') this.#applied(event.object, event.at, changes);
      else this.#deleted(event.ref, event.at, changes);
    }
    const hosts = this.#dialect === 'istio' ? changes.hosts.size : 0;
    if (changes.services.size + hosts > 0) this.#revision += 1;
    return changes;
  }

  get services(): ReadonlyMap<ServiceKey, Service> {
    return this.#index.services;
  }

  /** Hosts of ServiceEntries, and of VirtualServices that no Service or ServiceEntry has. None of them in direct mode. */
  get meshHosts(): ReadonlyMap<ServiceKey, MeshHost> {
    return this.#dialect === 'istio' ? this.#hosts.hosts : NO_HOSTS;
  }

  /** Ports of a Service or mesh host; none where it does not exist now. */
  portsOf(key: ServiceKey): readonly ServicePort[] {
    const host = this.#dialect === 'istio' ? this.#hosts.get(key) : undefined;
    return (this.services.get(key) ?? host)?.ports ?? [];
  }

  hasPort(key: ServiceKey, port: number): boolean {
    return this.portsOf(key).some((candidate) => candidate.port === port);
  }

  /**
   * Ports declared TCP whose number is HTTP elsewhere: there a sidecar without the service waits for the client to speak
   * first. (TLS clients do; an undeclared port is not known to be one whose server does.)
   */
  *mixedPorts(): Iterable<ScopedPort> {
    const isMixed = ({ port, protocol }: ServicePort): boolean => protocol === 'TCP' && this.httpPorts.has(port);
    for (const [service, { ports }] of this.services) {
      for (const { port } of ports.filter(isMixed)) yield { service, port };
    }
    for (const [service, { ports, addresses }] of this.meshHosts) {
      if (addresses.length === 0) continue;
      for (const { port } of ports.filter(isMixed)) yield { service, port };
    }
  }

  /** Every port number ever declared HTTP (in Istio mode by ServiceEntries too, and always 80); grows only. */
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

  /**
   * One for each ServiceAccount that runs pods with addresses of their own; the same value until it changes. None in
   * direct mode.
   */
  identities(): Iterable<PodIdentity> {
    return this.#identities?.all() ?? [];
  }

  /** See {@link ServiceIndex.headlessPorts}. */
  headlessPorts(address: string, port: number): readonly HeadlessPort[] {
    return this.#index.headlessPorts(address, port);
  }

  serviceEntry(namespace: string, name: string): ServiceEntry | undefined {
    return this.#hosts.entry(namespace, name);
  }

  /** See {@link MeshHostIndex.byName}. */
  meshHostsByName(name: string, namespace: string): readonly MeshHost[] {
    return this.#hosts.byName(name, namespace);
  }

  /** See {@link MeshHostIndex.byAddress}. */
  meshHostsByAddress(address: string, namespace: string): readonly AddressedHost[] {
    return this.#hosts.byAddress(address, namespace);
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
        this.#podApplied(object, at, changes);
        break;
      case 'ReplicaSet':
      case 'Job':
      case 'Deployment':
      case 'StatefulSet':
      case 'DaemonSet':
      case 'CronJob':
        this.#controllerApplied(object, at, changes);
        break;
      case 'Namespace':
        this.#namespaceChanged(object.name, changes, () => this.workloads.applyNamespace(object));
        break;
      case 'Node':
        this.workloads.applyNode(object);
        break;
      case 'ServiceEntry':
        changes.policies = true;
        this.#hostsChanged(this.#hosts.applyEntry(object), changes);
        break;
      case 'VirtualService':
        this.#hostsChanged(this.#hosts.applyVirtualService(object), changes);
        policyChanged(this.policies.apply(object), changes);
        break;
      default:
        policyChanged(this.policies.apply(object), changes);
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
      case 'Pod':
        this.#podDeleted(ref, at, changes);
        break;
      case 'ReplicaSet':
      case 'Job':
      case 'Deployment':
      case 'StatefulSet':
      case 'DaemonSet':
      case 'CronJob':
        this.#controllerDeleted(ref, changes);
        break;
      case 'Namespace':
        this.#namespaceChanged(ref.name, changes, () => this.workloads.deleteNamespace(ref.name));
        break;
      case 'Node':
        this.workloads.deleteNode(ref.name);
        break;
      case 'ServiceEntry':
        changes.policies = true;
        this.#hostsChanged(this.#hosts.deleteEntry(ref.namespace, ref.name), changes);
        break;
      case 'VirtualService':
        this.#hostsChanged(this.#hosts.deleteVirtualService(ref.namespace, ref.name), changes);
        policyChanged(this.policies.delete(ref.kind, ref), changes);
        break;
      default:
        policyChanged(this.policies.delete(ref.kind, ref), changes);
    }
  }

  #podApplied(pod: Pod, at: Timestamp, changes: RegistryChanges): void {
    this.#workloadOfPodChanges(pod, changes);
    const before = this.workloads.applyPod(pod, at);
    changes.pods.push(pod);
    this.#workloadOfPodChanges(pod, changes);
    this.#identitiesChanged(before, pod, changes);
  }

  #podDeleted({ namespace, name }: ObjectRef, at: Timestamp, changes: RegistryChanges): void {
    this.#workloadOfPodChanges({ namespace, name }, changes);
    const pod = this.workloads.deletePod(namespace, name, at);
    if (pod) changes.pods.push(pod);
    this.#identitiesChanged(pod, undefined, changes);
  }

  #identitiesChanged(before: Pod | undefined, after: Pod | undefined, changes: RegistryChanges): void {
    for (const key of this.#identities?.podChanged(before, after) ?? []) changes.identities.add(key);
  }

  #workloadOfPodChanges({ namespace, name }: Pick<Pod, 'namespace' | 'name'>, changes: RegistryChanges): void {
    const workload = this.workloads.workloadNamed(namespace, name);
    if (workload !== undefined) changes.workloads.add(workload);
  }

  /** Its pods may have another workload now, and that workload another mode. */
  #controllerApplied(controller: PodController, at: Timestamp, changes: RegistryChanges): void {
    const key = `${controller.namespace}/${controller.kind}/${controller.name}`;
    const before = [...this.workloads.podsOwnedBy(key)].map((pod) => this.workloads.workloadOf(pod));
    const modeBefore = this.workloads.controllerMode(key);
    const pods = this.workloads.applyController(controller, at);
    changes.pods.push(...pods);
    for (const workload of [...before, ...pods.map((pod) => this.workloads.workloadOf(pod))]) {
      changes.workloads.add(workload);
    }
    if (modeBefore !== controller.mode) this.#modeChanged(key, changes);
  }

  #controllerDeleted({ kind, namespace, name }: ObjectRef, changes: RegistryChanges): void {
    const key = `${namespace}/${kind}/${name}`;
    this.workloads.deleteController(kind, namespace, name);
    this.#modeChanged(key, changes);
  }

  #modeChanged(workload: WorkloadKey, changes: RegistryChanges): void {
    changes.workloads.add(workload);
    changes.pods.push(...this.workloads.podsOf(workload));
  }

  #namespaceChanged(name: string, changes: RegistryChanges, change: () => void): void {
    const before = this.workloads.namespaceMode(name);
    change();
    changes.everybody = true;
    if (before === this.workloads.namespaceMode(name)) return;
    for (const pod of this.workloads.podsIn(name)) changes.workloads.add(this.workloads.workloadOf(pod));
  }

  /** In direct mode they are kept for nobody. */
  #hostsChanged(keys: readonly ServiceKey[], changes: RegistryChanges): void {
    if (this.#dialect === 'direct') return;
    for (const key of keys) {
      changes.hosts.add(key);
      const host = this.#hosts.get(key);
      for (const port of host ? httpPortsOf(host) : []) {
        if (this.#index.httpPorts.has(port)) continue;
        this.#index.httpPorts.add(port);
        changes.everybody = true;
      }
    }
  }

  #serviceApplied(service: Service, changes: RegistryChanges): void {
    const before = this.services.get(serviceKey(service));
    const portsBefore = this.httpPorts.size;
    this.#index.apply(service);
    changes.services.add(serviceKey(service));
    if (!before) this.#hostsChanged(this.#hosts.serviceChanged(service.host), changes);
    if (this.httpPorts.size > portsBefore || this.#onMixedPort(service)) changes.everybody = true;
    if (before && this.#onMixedPort(before)) changes.everybody = true;
    // Its endpoints may have been told before it.
    if (service.headless && this.#hasPodsOnMixedPort(serviceKey(service), service)) changes.everybody = true;
  }

  #serviceGone(service: Service, changes: RegistryChanges): void {
    changes.services.add(serviceKey(service));
    this.#hostsChanged(this.#hosts.serviceChanged(service.host), changes);
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

function policyChanged({ isForeign, workloads }: PolicyChange, changes: RegistryChanges): void {
  if (isForeign) changes.policies = true;
  for (const workload of workloads) changes.sidecars.add(workload);
}
