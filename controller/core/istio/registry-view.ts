/** What publication asks of registry and graph, answered from both as they stand when asked. */
import { addressesOf } from '../addresses.ts';
import type { DependencyGraph } from '../graph/graph.ts';
import type { MeshObject } from '../mesh-object.ts';
import type { PodControllerKind, ServiceKey, WorkloadKey } from '../model.ts';
import { isHttp } from '../model.ts';
import { selects } from '../registry/label-selector.ts';
import type { Registry } from '../registry/registry.ts';
import type { ExternalDirectState } from './external-direct.ts';
import { entryRef, routesRef } from './external-direct-objects.ts';
import type { Addressed, EntryHost } from './external-direct-refusal.ts';
import type { MeshPublicationView } from './mesh-publication.ts';
import {
  DECOY_SERVICE,
  EGRESS_PORT,
  EGRESS_SERVICE,
  type IstioSettings,
  KILL_SWITCH,
  MESH_CONFIG,
  ownKey,
  PLACEHOLDER_SERVICE,
} from './settings.ts';
import { sidecarRef } from './sidecar.ts';

export interface RegistryViewParts {
  readonly registry: Registry;
  readonly graph: DependencyGraph;
  readonly settings: IstioSettings;
  /** Kinds that may not be read at present. */
  readonly unreadable: () => ReadonlySet<MeshObject['kind']>;
}

/** Kinds of workload whose objects are watched, so that their absence means something. */
const WATCHED: ReadonlySet<string> = new Set<PodControllerKind>([
  'ReplicaSet',
  'Job',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'CronJob',
]);

export function registryView(parts: RegistryViewParts): MeshPublicationView {
  const { registry, graph, settings, unreadable } = parts;
  const { policies, workloads } = registry;
  return {
    ...externalDirectState(parts),
    get hasKillSwitch() {
      return policies.hasConfigMap(settings.namespace, KILL_SWITCH);
    },
    get unreadable() {
      return unreadable();
    },
    get httpPorts() {
      return registry.httpPorts;
    },
    destinationRulesIn: (namespace) => policies.destinationRulesIn(namespace),
    sidecarsIn: (namespace) => policies.sidecarsIn(namespace),
    authorizationPolicies: () => policies.authorizationPolicies(),
    networkPolicies: () => policies.networkPolicies(),
    virtualServicesFor: (host) => policies.virtualServicesFor(host),
    managedSidecars: () => policies.managedSidecars(),
    managedSidecar: (workload) => managedSidecar(registry, workload),
    selects,
    podsIn: (namespace) => workloads.podsIn(namespace),
    podsOf: (workload) => workloads.podsOf(workload),
    workloadOf: (pod) => workloads.workloadOf(pod),
    modeOf: (pod) => workloads.modeOf(pod).mode,
    mayExist: (workload) => mayExist(parts, workload),
    workloads: () => workloads.workloads(),
    mixedPorts: () => [...registry.mixedPorts()],
    httpPortsOf: (service) => registry.portsOf(service).flatMap(({ port, protocol }) => (isHttp(protocol) ? port : [])),
    meshPorts: () => ({
      placeholder: ownPorts(parts, PLACEHOLDER_SERVICE),
      decoy: ownPorts(parts, DECOY_SERVICE),
    }),
    base: () => baseKeys(registry, settings),
    egressEndpoints: () => readyAddresses(parts),
    servicesOf: (workload) => graph.servicesOf(workload),
  };
}

function externalDirectState({ registry, settings }: RegistryViewParts): ExternalDirectState {
  const [entry, routes] = [entryRef(settings), routesRef(settings)];
  return {
    isRegistryOnly: () => registry.policies.configMap(settings.rootNamespace, MESH_CONFIG)?.isRegistryOnly,
    sidecarsIn: (namespace) => registry.policies.sidecarsIn(namespace),
    httpPorts: registry.httpPorts,
    addressed: () => addressed(registry),
    entryHosts: () => entryHosts(registry, settings),
    undeclaredHeadless: () => undeclaredHeadless(registry),
    externalDirect: () => ({
      entry: registry.serviceEntry(entry.namespace, entry.name)?.managedSpec,
      routes: registry.policies.virtualService(routes.namespace, routes.name)?.managedSpec,
    }),
  };
}

function* addressed({ services, workloads }: Registry): Iterable<Addressed> {
  for (const { namespace, name, clusterIPs } of services.values()) {
    yield { object: `Service ${namespace}/${name}`, addresses: addressesOf(clusterIPs) };
  }
  for (const { namespace, name, addresses, finished } of workloads.pods()) {
    if (!finished) yield { object: `Pod ${namespace}/${name}`, addresses: addressesOf(addresses) };
  }
  for (const { name, addresses } of workloads.nodes()) {
    // Pods with IPv4 addresses alone cannot call others.
    yield { object: `Node ${name}`, addresses: addresses.filter((address) => !address.includes(':')) };
  }
}

function* entryHosts({ meshHosts }: Registry, settings: IstioSettings): Iterable<EntryHost> {
  for (const { key, namespace, origin, addresses, ports } of meshHosts.values()) {
    if (origin !== 'ServiceEntry' || namespace === settings.namespace) continue;
    yield { object: `ServiceEntry host ${key}`, addresses, ports };
  }
}

function* undeclaredHeadless({ services }: Registry): Iterable<EntryHost> {
  for (const { namespace, name, headless, ports } of services.values()) {
    if (!headless) continue;
    const undeclared = ports.filter(({ protocol }) => protocol === 'Auto');
    yield { object: `Service ${namespace}/${name}`, addresses: [], ports: undeclared };
  }
}

/** The one that we would write: another with our labels is somebody's copy. */
function managedSidecar({ policies }: Registry, workload: WorkloadKey) {
  const { namespace, name } = sidecarRef(workload);
  for (const sidecar of policies.sidecarsIn(namespace)) {
    if (sidecar.name === name && sidecar.managed?.workload === workload) return sidecar;
  }
  return undefined;
}

function mayExist({ registry, unreadable }: RegistryViewParts, workload: WorkloadKey): boolean {
  const [, kind = ''] = workload.split('/');
  if (kind === 'Pod') return false;
  const isWatched = WATCHED.has(kind) && ![...unreadable()].some((unread) => unread === kind);
  return !isWatched || registry.workloads.isTold(workload);
}

function ownPorts({ registry, settings }: RegistryViewParts, name: string): ReadonlySet<number> | undefined {
  const service = registry.services.get(ownKey(settings, name));
  return service && new Set(service.ports.map(({ port }) => port));
}

/** What every lazy sidecar holds: egress, placeholder, and the ServiceEntries of our own namespace, which stay direct. */
export function baseKeys({ meshHosts }: Registry, settings: IstioSettings): ReadonlySet<ServiceKey> {
  const entries = [...meshHosts.values()].filter(
    ({ namespace, origin }) => namespace === settings.namespace && origin === 'ServiceEntry',
  );
  const services = [EGRESS_SERVICE, PLACEHOLDER_SERVICE].map((service) => ownKey(settings, service));
  return new Set([...services, ...entries.map(({ key }) => key)]);
}

function readyAddresses({ registry, settings }: RegistryViewParts): ReadonlySet<string> {
  const endpoints = registry.endpoints(ownKey(settings, EGRESS_SERVICE), EGRESS_PORT);
  return new Set(endpoints.filter(({ ready }) => ready).map(({ address }) => address));
}
