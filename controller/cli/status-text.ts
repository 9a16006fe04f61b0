/** `lazyscope status` as text. */
import type { MeshStatus } from '../core/answer.ts';
import type { Timestamp } from '../core/model.ts';
import type { ProxyReport, ReadinessCheck, WorkloadReport } from '../core/report.ts';
import { workloadParts } from './names.ts';
import { type Cell, renderTable } from './table.ts';
import { printable, type Terminal } from './terminal.ts';
import { ago, counted, grouped } from './time-text.ts';

/** Whether the controller serves everybody. Degraded is ready: it costs learning, never requests. */
export function isReady({ ready }: MeshStatus): boolean {
  return ready.every(({ ok, degraded }) => ok || degraded === true);
}

function named(checks: readonly ReadinessCheck[]): string {
  return checks.map(({ name, detail }) => `${name} (${detail})`).join(', ');
}

function health(status: MeshStatus): string {
  const failing = status.ready.filter(({ ok, degraded }) => !ok && degraded !== true);
  const degraded = status.ready.filter((check) => check.degraded === true);
  if (failing.length > 0) return `Not ready: ${named(failing)}`;
  return degraded.length > 0 ? `Ready, degraded: ${named(degraded)}` : 'Ready';
}

/** The first line: health, and what there is in the whole mesh. */
export function meshLine(status: MeshStatus): string {
  const { services, workloads, edges, proxies, egresses } = status;
  const counts = [
    counted(services, 'service'),
    counted(workloads, 'workload'),
    counted(edges, 'edge'),
    counted(proxies, 'proxy', 'proxies'),
    counted(egresses, 'egress', 'egresses'),
  ];
  return `${printable(health(status))}. ${counts.join(', ')}.`;
}

interface Row {
  readonly report: WorkloadReport;
  readonly proxy: ProxyReport;
}

const urgency: Readonly<Record<ProxyReport['sync'], number>> = { Rejected: 0, Waiting: 1, Synced: 2 };
const emphasis = { Rejected: 'red', Waiting: 'yellow', Synced: 'green' } as const;

/** One row for each connected proxy, those that need attention first. */
function rows(reports: readonly WorkloadReport[]): Row[] {
  return reports
    .flatMap((report) => report.proxies.map((proxy) => ({ report, proxy })))
    .sort((a, b) => urgency[a.proxy.sync] - urgency[b.proxy.sync]);
}

function cells({ report, proxy }: Row, now: Timestamp, terminal: Terminal): Cell[] {
  const { namespace, kind, name } = workloadParts(report.workload);
  return [
    `${proxy.pod}.${namespace}`,
    `${kind}/${name}`,
    report.mode,
    grouped(report.dependencies),
    `${grouped(proxy.clusters)} / ${grouped(report.clusters.total)}`,
    { text: proxy.sync, style: (text) => terminal.style(emphasis[proxy.sync], text) },
    ago(proxy.connectedSince, now),
  ];
}

/** The table of proxies. CLUSTERS is what an Envoy holds, of what an eager one would hold. */
export function statusTable(reports: readonly WorkloadReport[], terminal: Terminal): string {
  const now = terminal.now();
  return renderTable(
    ['NAME', 'WORKLOAD', 'MODE', 'DEPS', 'CLUSTERS', 'SYNC', 'SINCE'],
    rows(reports).map((row) => cells(row, now, terminal)),
  );
}

/** So many names are listed; a mesh has thousands. */
const maxNames = 5;

function listed(names: readonly string[]): string {
  const more = names.length > maxNames ? ` and ${grouped(names.length - maxNames)} more` : '';
  return `${names.slice(0, maxNames).join(', ')}${more}`;
}

function withoutProxy(reports: readonly WorkloadReport[]): string[] {
  const names = reports.filter(({ proxies }) => proxies.length === 0).map(({ workload }) => workload);
  if (names.length === 0) return [];
  return [`${counted(names.length, 'workload')} without a connected proxy: ${listed(names)}`];
}

function ofUnknownPods({ unknownProxies }: MeshStatus): string[] {
  if (unknownProxies.length === 0) return [];
  return [
    `${counted(unknownProxies.length, 'connected Envoy')} of unknown pods, which get nothing: ${listed(unknownProxies)}. ` +
      'The source must hold the pod, and node.id must name it.',
  ];
}

function skipped({ problems, problemsTotal }: MeshStatus): string[] {
  if (problemsTotal === 0) return [];
  return [
    `${counted(problemsTotal, 'input')} skipped since start, newest last:`,
    ...problems.slice(-maxNames).map(({ subject, reason }) => `  ${subject}: ${reason}`),
  ];
}

/** What else deserves attention, one line each. */
export function remarks(status: MeshStatus, reports: readonly WorkloadReport[]): string[] {
  const rejected = rows(reports).filter(({ proxy }) => proxy.rejected !== undefined);
  return [
    ...rejected.map(({ proxy }) => `${proxy.pod} rejected ${proxy.rejected}`),
    ...withoutProxy(reports),
    ...ofUnknownPods(status),
    ...(status.egresses > 0
      ? []
      : ['No egress is connected, so nothing new is learned. Start one with "lazyscope egress".']),
    ...skipped(status),
  ].map(printable);
}
