/** Turns state into the answers of the HTTP API. Pure: what it shows depends on its arguments alone. */

import { addressesOf } from '../addresses.ts';
import { destinationText, flagsOf } from '../graph/dependency.ts';
import type { DependencyGraph } from '../graph/graph.ts';
import type { PublicationStatus } from '../istio/publication.ts';
import { EVERYTHING } from '../istio/settings.ts';
import { namespaceOf } from '../key-parts.ts';
import type { Dependency, Mode, Pod, Timestamp, WorkloadKey } from '../model.ts';
import type { ClientStatus } from '../ports.ts';
import type { Registry } from '../registry/registry.ts';
import type {
  DependencyFlag,
  EdgeFilter,
  EdgeReport,
  GraphNode,
  GraphReport,
  ProxyReport,
  PublicationReport,
  WorkloadDetail,
  WorkloadReport,
} from '../report.ts';

/** What there is to report on, at one moment. */
export interface ReportView {
  readonly registry: Registry;
  readonly graph: DependencyGraph;
  readonly clients: readonly ClientStatus[];
  /** How the workload's Sidecar stands; `undefined` outside Istio mode. */
  readonly publication: (workload: WorkloadKey) => PublicationStatus | undefined;
  readonly now: Timestamp;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function iso(time: Timestamp): string {
  return new Date(time).toISOString();
}

export function edgeReports(view: ReportView, filter: EdgeFilter): EdgeReport[] {
  const sources = filter.from === undefined ? view.graph.sources() : [filter.from];
  const proxies = proxiesByWorkload(view);
  const reports: EdgeReport[] = [];
  for (const source of sources) {
    if (filter.namespace !== undefined && namespaceOf(source) !== filter.namespace) continue;
    const hasSidecars = proxies.has(source);
    for (const dependency of view.graph.of(source)) {
      const report = edgeReport(view, dependency, hasSidecars);
      if (filter.to === undefined || filter.to === report.to) reports.push(report);
    }
  }
  return reports.sort(
    (a, b) => byText(a.from, b.from) || byText(a.to, b.to) || a.port - b.port || byText(a.protocol, b.protocol),
  );
}

function edgeReport(view: ReportView, dependency: Dependency, hasSidecars: boolean): EdgeReport {
  const { source, destination, protocol, state, relayReason, origin, promotedAt, confirmedAt } = dependency;
  return {
    from: source,
    to: destination.kind === 'Service' ? destination.service : destinationText(destination),
    port: destination.port,
    protocol,
    state,
    ...(relayReason === undefined ? {} : { relayReason }),
    flags: [...flagsOf(dependency, view.now, hasSidecars), ...missing(view, dependency)],
    origin,
    firstSeen: iso(dependency.firstSeen),
    lastSeen: iso(dependency.lastSeen),
    ...(promotedAt === undefined ? {} : { promotedAt: iso(promotedAt) }),
    ...(confirmedAt === undefined ? {} : { confirmedAt: iso(confirmedAt) }),
    ...dependency.counters,
  };
}

function missing({ registry }: ReportView, { destination }: Dependency): DependencyFlag[] {
  if (destination.kind !== 'Service') return [];
  return registry.hasPort(destination.service, destination.port) ? [] : ['missing'];
}

/** Every workload that has a pod or a dependency, sorted. */
export function workloadReports(view: ReportView, filter: { readonly namespace?: string }): WorkloadReport[] {
  const pods = podsByWorkload(view.registry);
  const keys = new Set([...pods.keys(), ...view.graph.sources()]);
  const proxies = proxiesByWorkload(view);
  const total = totalClusters(view.registry);
  return [...keys]
    .filter((key) => filter.namespace === undefined || namespaceOf(key) === filter.namespace)
    .sort(byText)
    .map((key) =>
      workloadReport(view, { workload: key, pods: pods.get(key) ?? [], proxies: proxies.get(key) ?? [], total }),
    );
}

export function workloadDetail(view: ReportView, workload: WorkloadKey): WorkloadDetail | undefined {
  const pods = podsByWorkload(view.registry).get(workload) ?? [];
  const edges = edgeReports(view, { from: workload });
  if (pods.length === 0 && edges.length === 0) return undefined;
  const proxies = proxiesByWorkload(view).get(workload) ?? [];
  return { ...workloadReport(view, { workload, pods, proxies, total: totalClusters(view.registry) }), edges };
}

interface WorkloadParts {
  readonly workload: WorkloadKey;
  readonly pods: readonly Pod[];
  readonly proxies: readonly ProxyReport[];
  readonly total: number;
}

function workloadReport(view: ReportView, { workload, pods, proxies, total }: WorkloadParts): WorkloadReport {
  const { mode, source } = modeOf(view.registry, pods);
  const dependencies = [...view.graph.of(workload)];
  const publication = view.publication(workload);
  return {
    workload,
    mode,
    modeSource: source,
    dependencies: dependencies.filter(({ state }) => state !== 'relayed').length,
    relayed: dependencies.filter(({ state }) => state === 'relayed').length,
    clusters: { kept: keptClusters(view, { workload, mode, total, publication }), total },
    pods: pods
      .filter(({ finished }) => !finished)
      .map(({ name, addresses }) => ({ name, addresses: addressesOf(addresses) }))
      .sort((a, b) => byText(a.name, b.name)),
    proxies,
    ...(publication ? { publication: publicationReport(publication) } : {}),
  };
}

interface KeptParts {
  readonly workload: WorkloadKey;
  readonly mode: Mode;
  readonly total: number;
  readonly publication: PublicationStatus | undefined;
}

/** A Sidecar brings every port of a service, direct mode those that were learned. */
function keptClusters(view: ReportView, { workload, mode, total, publication }: KeptParts): number {
  if (!publication) {
    const { warm, routed } = view.graph.scope(workload);
    return mode === 'Enforce' ? warm.length + routed.length : total;
  }
  const { published } = publication;
  if (!published || published.warm.has(EVERYTHING)) return total;
  const keys = [...published.routed, ...published.warm];
  return keys.reduce((sum, key) => sum + view.registry.portsOf(key).length, 0);
}

function publicationReport({ published, refusal }: PublicationStatus): PublicationReport {
  const warm = published?.warm.size ?? 0;
  return {
    state: !published ? 'Eager' : warm > 0 ? 'Changing' : 'Lazy',
    routed: published?.routed.size ?? 0,
    warm,
    ...(refusal ? { refusal: { reason: refusal.reason, message: refusal.message } } : {}),
  };
}

/** A workload whose pods differ is shown by its most careful pod: one `Off` pod gets everything. */
function modeOf(registry: Registry, pods: readonly Pod[]): { readonly mode: Mode; readonly source: string } {
  const modes = pods.map((pod) => registry.workloads.modeOf(pod));
  return modes.find(({ mode }) => mode === 'Off') ?? modes[0] ?? { mode: 'Enforce', source: 'default' };
}

function proxiesByWorkload({ clients, registry }: ReportView): Map<WorkloadKey, ProxyReport[]> {
  const proxies = new Map<WorkloadKey, ProxyReport[]>();
  for (const client of clients) {
    const known = client.node.kind === 'sidecar' ? registry.workloads.podOf(client.node) : undefined;
    if (known) append(proxies, known.workload, proxyReport(client));
  }
  for (const reports of proxies.values()) reports.sort((a, b) => byText(a.pod, b.pod));
  return proxies;
}

/** Node ids of sidecars that belong to no workload, so that no other report shows them. */
export function unknownProxies({ clients, registry }: ReportView): string[] {
  return clients
    .filter(({ node }) => node.kind === 'sidecar' && registry.workloads.podOf(node) === undefined)
    .map(({ node }) => node.id)
    .sort(byText);
}

function append<T>(lists: Map<WorkloadKey, T[]>, key: WorkloadKey, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function proxyReport({ node, synced, rejected, connectedAt, clusters, lastAckAt }: ClientStatus): ProxyReport {
  return {
    node: node.id,
    pod: node.pod,
    sync: rejected ? 'Rejected' : synced ? 'Synced' : 'Waiting',
    connectedSince: iso(connectedAt),
    clusters,
    ...(lastAckAt === undefined ? {} : { lastAck: iso(lastAckAt) }),
    ...(rejected ? { rejected: `${rejected.resources.join(', ')}: ${rejected.message}` } : {}),
  };
}

export function graphReport(view: ReportView, filter: EdgeFilter): GraphReport {
  const edges = edgeReports(view, filter);
  const nodes = new Map<string, GraphNode>();
  for (const { from, to } of edges) {
    nodes.set(from, { id: from, kind: 'Workload', namespace: namespaceOf(from) });
    const isService = to.includes('/');
    nodes.set(to, isService ? { id: to, kind: 'Service', namespace: namespaceOf(to) } : { id: to, kind: 'Address' });
  }
  return { nodes: [...nodes.values()].sort((a, b) => byText(a.id, b.id)), edges };
}

function podsByWorkload(registry: Registry): Map<WorkloadKey, Pod[]> {
  const pods = new Map<WorkloadKey, Pod[]>();
  for (const pod of registry.workloads.pods()) append(pods, registry.workloads.workloadOf(pod), pod);
  return pods;
}

/** What an eager sidecar holds: one cluster a service port. */
function totalClusters(registry: Registry): number {
  let total = 0;
  for (const { ports } of registry.services.values()) total += ports.length;
  return total;
}
