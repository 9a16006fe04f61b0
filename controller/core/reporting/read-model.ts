import type { ReadModel } from '../report.ts';
import type { ProblemLog } from './problem-log.ts';
import {
  edgeReports,
  graphReport,
  type ReportView,
  unknownProxies,
  workloadDetail,
  workloadReports,
} from './reporting.ts';

/** @param view the state at the moment of asking; each answer looks once */
export function readModel(view: () => ReportView & { readonly problems: ProblemLog }): ReadModel {
  return {
    mesh: () => {
      const now = view();
      return {
        services: now.registry.services.size,
        workloads: workloadReports(now, {}).length,
        edges: now.graph.size,
        proxies: now.clients.filter(({ node }) => node.kind === 'sidecar').length,
        egresses: now.clients.filter(({ node }) => node.kind === 'egress').length,
        unknownProxies: unknownProxies(now),
        problems: now.problems.newest(),
        problemsTotal: now.problems.total,
      };
    },
    workloads: (filter) => workloadReports(view(), filter),
    workload: (key) => workloadDetail(view(), key),
    edges: (filter) => edgeReports(view(), filter),
    graph: (filter) => graphReport(view(), filter),
  };
}
