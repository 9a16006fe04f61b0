/** The demo's figures: what each Envoy holds and costs, lazy beside eager. */
import { writeFileSync } from 'node:fs';
import type { EdgeReport } from '../controller/core/report.ts';
import { percentile } from '../test/bench/statistics.ts';
import type { EnvoyAdmin } from '../test/support/bed/envoy-admin.ts';
import type { RequestCounts } from './application.ts';
import type { ShopMesh } from './shop-mesh.ts';

/** What `JSON=FILE` writes. Memory in bytes, times in milliseconds. */
export interface DemoFigures {
  readonly mode: 'direct';
  /** Version. */
  readonly envoy: string;
  readonly services: number;
  readonly workloads: readonly WorkloadFigures[];
  readonly edges: readonly {
    readonly from: string;
    readonly to: string;
    readonly port: number;
    readonly protocol: string;
  }[];
  readonly requests: RequestCounts;
  readonly firstRequestToDirectMs: { readonly p50: number; readonly p99: number };
  readonly afterRestart: { readonly edgesBefore: number; readonly edgesAfter: number };
}

export interface WorkloadFigures {
  readonly name: string;
  readonly dependencies: number;
  /** `outbound|` clusters of type EDS. */
  readonly clusters: { readonly lazy: number; readonly eager: number };
  /** Envoy's `server.memory_allocated`. */
  readonly memoryAllocated: { readonly lazy: number; readonly eager: number };
}

interface DumpedCluster {
  readonly cluster: { readonly name: string; readonly type?: string };
}

async function serviceClusters(admin: EnvoyAdmin): Promise<number> {
  const dump = await admin.dump('ClustersConfigDump');
  const clusters = (dump['dynamic_active_clusters'] ?? []) as readonly DumpedCluster[];
  return clusters.filter(({ cluster }) => cluster.type === 'EDS' && cluster.name.startsWith('outbound|')).length;
}

export async function workloadFigures({ shopkeepers, eager, controller }: ShopMesh): Promise<WorkloadFigures[]> {
  const eagerClusters = await serviceClusters(eager.envoy.admin);
  const eagerMemory = await eager.envoy.admin.memoryAllocated();
  const figures: WorkloadFigures[] = [];
  for (const { workload, pod } of shopkeepers) {
    figures.push({
      name: workload.name,
      dependencies: (await controller.api.workload(pod.workload)).dependencies,
      clusters: { lazy: await serviceClusters(pod.envoy.admin), eager: eagerClusters },
      memoryAllocated: { lazy: await pod.envoy.admin.memoryAllocated(), eager: eagerMemory },
    });
  }
  return figures;
}

export function timeFigures(milliseconds: readonly number[]): DemoFigures['firstRequestToDirectMs'] {
  const rounded = (share: number): number => Math.round(percentile(milliseconds, share) * 10) / 10;
  return { p50: rounded(0.5), p99: rounded(0.99) };
}

export function edgeFigures(edges: readonly EdgeReport[]): DemoFigures['edges'] {
  return edges.map(({ from, to, port, protocol }) => ({ from, to, port, protocol }));
}

/** Version of a running Envoy, for example `1.40.0`. */
export async function envoyVersion(admin: EnvoyAdmin): Promise<string> {
  const info: { readonly version: string } = JSON.parse(await admin.get('/server_info'));
  return info.version.split('/')[1] ?? info.version;
}

export function writeFigures(file: string, figures: DemoFigures): void {
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);
}
