/** The demo's figures: what each Envoy holds and costs, lazy beside eager. */
import { writeFileSync } from 'node:fs';
import type { EdgeReport } from '../controller/core/report.ts';
import { percentile } from '../test/bench/method/statistics.ts';
import type { EnvoyAdmin } from '../test/support/bed/envoy-admin.ts';
import type { RequestCounts } from './application.ts';
import type { DemoMode } from './settings.ts';
import type { ShopMesh } from './shop-mesh.ts';

/** What `JSON=FILE` writes. Memory in bytes, times in milliseconds. */
export interface DemoFigures {
  readonly mode: DemoMode;
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
  /** Learned ones. */
  readonly dependencies: number;
  /** `outbound|` clusters; of the lazy sidecar also those that Lazyscope itself needs there. */
  readonly clusters: { readonly lazy: number; readonly eager: number };
  /** Envoy's `server.memory_allocated`. */
  readonly memoryAllocated: { readonly lazy: number; readonly eager: number };
}

interface DumpedCluster {
  readonly cluster: { readonly name: string; readonly type?: string };
}

/** Namespace of Lazyscope's own Services, which a mesh without it would not have. */
const OWN = /\.lazyscope\.(svc\.|internal$)/;

async function outboundClusters(admin: EnvoyAdmin): Promise<readonly string[]> {
  const dump = await admin.dump('ClustersConfigDump');
  const clusters = (dump['dynamic_active_clusters'] ?? []) as readonly DumpedCluster[];
  // Direct mode's stand-ins for TCP services on mixed ports lead to the egress, by a static address.
  const services = clusters.filter(({ cluster: { type } }) => type !== undefined && type !== 'STATIC');
  return services.map(({ cluster }) => cluster.name).filter((name) => name.startsWith('outbound|'));
}

export async function workloadFigures({ shopkeepers, eager, controller }: ShopMesh): Promise<WorkloadFigures[]> {
  const eagerClusters = (await outboundClusters(eager)).filter((name) => !OWN.test(name)).length;
  const eagerMemory = await eager.memoryAllocated();
  const figures: WorkloadFigures[] = [];
  for (const { workload, pod, admin } of shopkeepers) {
    figures.push({
      name: workload.name,
      dependencies: (await controller.api.workload(pod.workload)).dependencies,
      clusters: { lazy: (await outboundClusters(admin)).length, eager: eagerClusters },
      memoryAllocated: { lazy: await admin.memoryAllocated(), eager: eagerMemory },
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
