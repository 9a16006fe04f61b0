/** What sidecars were found to hold while the store has no memory of it: dependencies that are kept. */
import { seeded } from './core/graph/dependency.ts';
import type { DependencyGraph } from './core/graph/graph.ts';
import { pins } from './core/istio/wanted.ts';
import { parseClusterName } from './core/mesh-clients.ts';
import type { ScopedPort, ServiceKey, Timestamp, WorkloadKey } from './core/model.ts';
import type { HeldResources, Problem } from './core/ports.ts';
import type { Registry } from './core/registry/registry.ts';
import { isRelayedVersion } from './core/snapshot/resource-encoder.ts';

/** Listeners that clients claim to have are kept up to this many ports: each costs every sidecar 70 kB. */
const MAX_HTTP_PORTS = 1_000;

export interface SeedsOptions {
  readonly registry: Registry;
  readonly graph: DependencyGraph;
  /** A new dependency of this workload. */
  readonly seeded: (key: string, workload: WorkloadKey) => void;
  /** A port that every sidecar gets a listener for. */
  readonly portKept: () => void;
  readonly problem: (problem: Problem) => void;
}

export class Seeds {
  /** How often each limit was reached. */
  readonly limits = { HttpPorts: 0, SeededDependencies: 0 };
  readonly #options: SeedsOptions;

  constructor(options: SeedsOptions) {
    this.#options = options;
  }

  /** Direct mode: clusters that a reconnecting sidecar says it holds, in the form that leads to the service itself. */
  clusters(workload: WorkloadKey, { clusters }: HeldResources, at: Timestamp): void {
    for (const [name, version] of clusters) {
      const port = isRelayedVersion(version) ? undefined : portOfCluster(name);
      if (port && !this.#options.graph.isPublished(workload, port)) this.#seed(workload, port, at);
    }
  }

  /** Direct mode: removing a listener drains its connections, so those of HTTP ports stay. */
  listeners({ listeners }: HeldResources): void {
    for (const name of listeners.keys()) this.#keepPort(name);
  }

  /**
   * Istio mode: what our own Sidecars say. What is known of a workload and service already, says more.
   * @param base what every lazy sidecar holds, used or not
   */
  sidecars(base: ReadonlySet<ServiceKey>, at: Timestamp): void {
    const { registry, graph } = this.#options;
    // Held whether used or not: that a Sidecar has it is no memory of any use.
    const held = new Set([...base, ...pins(registry.mixedPorts())]);
    for (const { managed } of registry.policies.managedSidecars()) {
      if (!managed) continue;
      const known = new Set(graph.knownServicesOf(managed.workload));
      for (const service of [...managed.routed, ...managed.warm]) {
        if (known.has(service) || held.has(service)) continue;
        for (const { port } of registry.portsOf(service)) this.#seed(managed.workload, { service, port }, at);
      }
    }
  }

  #keepPort(listener: string): void {
    const { registry, portKept, problem } = this.#options;
    const port = /^0\.0\.0\.0_(\d+)$/.exec(listener)?.[1];
    if (port === undefined || registry.httpPorts.has(Number(port))) return;
    if (registry.httpPorts.size >= MAX_HTTP_PORTS) {
      this.limits.HttpPorts += 1;
      problem({ subject: `listener ${listener}`, reason: `not kept: the mesh has ${MAX_HTTP_PORTS} HTTP ports` });
      return;
    }
    registry.keepHttpPort(Number(port));
    portKept();
  }

  #seed(workload: WorkloadKey, port: ScopedPort, at: Timestamp): void {
    const { graph, problem } = this.#options;
    if (!graph.hasRoom) {
      this.limits.SeededDependencies += 1;
      problem({ subject: 'graph', reason: `there are ${graph.size} dependencies; what sidecars hold is not added` });
      return;
    }
    const key = graph.put(seeded(workload, { kind: 'Service', ...port }, at));
    this.#options.seeded(key, workload);
  }
}

/** The service port that a cluster of a sidecar stands for. */
function portOfCluster(cluster: string): ScopedPort | undefined {
  const named = parseClusterName(cluster);
  const namespace = named?.host.split('.')[1];
  return named && namespace !== undefined ? { service: `${namespace}/${named.host}`, port: named.port } : undefined;
}
