/** What a workload holds and why, and why something is not there. */
import type { WorkloadReport } from '../core/report.ts';
import { counted, grouped } from './time-text.ts';

function modeText({ mode, modeSource }: WorkloadReport): string {
  return `mode ${mode}, ${modeSource}`;
}

function holdings(report: WorkloadReport): string {
  const { workload, mode, clusters, publication } = report;
  const total = counted(clusters.total, 'cluster');
  if (publication?.refusal) {
    const { reason, message } = publication.refusal;
    return `${workload} has everything, ${total}, though it should be lazy (${modeText(report)}): ${message} (${reason}).`;
  }
  if (mode !== 'Enforce') return `${workload} has everything, ${total} (${modeText(report)}).`;
  return `${workload} is lazy (${modeText(report)}): its scope has ${grouped(clusters.kept)} of ${total}.`;
}

/** Two sentences about the workload as a whole. */
export function explainWorkload(report: WorkloadReport): readonly string[] {
  const { dependencies, relayed, pods, proxies } = report;
  const waiting = proxies.filter(({ sync }) => sync !== 'Synced');
  const sync = waiting.length === 0 ? '' : `, not in sync: ${waiting.map(({ pod }) => pod).join(', ')}`;
  return [
    holdings(report),
    `${counted(dependencies, 'dependency', 'dependencies')}, ${grouped(relayed)} more relayed by the egress; ` +
      `${counted(pods.length, 'pod')}, ${counted(proxies.length, 'connected proxy', 'connected proxies')}${sync}.`,
  ];
}

/** Why there is no edge to `service`, and whether that is a problem. */
export function explainMissing(report: WorkloadReport, service: string): readonly string[] {
  const { workload, mode, proxies } = report;
  if (mode !== 'Enforce') {
    return [
      `${workload} has no learned edge to ${service} and needs none: it has everything (${modeText(report)}).`,
      'Direct connections do not cross the egress, so nothing is learned from them.',
    ];
  }
  const lines = [
    `${workload} has no edge to ${service}: no answered connection to it has crossed the egress.`,
    'That is no fault: the first connection goes through the egress and is forwarded at once; then the edge is learned.',
  ];
  if (proxies.length === 0)
    return [...lines, 'No Envoy of this workload is connected; "lazyscope status" shows who is.'];
  return [
    ...lines,
    'If it was called and is still missing, check that the call was answered, that iptables redirect it to Envoy, and',
    'that it was called by a name of this service: edges to addresses are listed without --to.',
  ];
}
