/** Very many sidecars of the large mesh, without an Envoy. */
import { LightEnvoy } from '../ads/light-envoy.ts';
import { clusterOfService, sidecarId, WORKLOADS } from './large-mesh.ts';

let crowd: LightEnvoy[] = [];
/** Clusters that responses have told, since they were last asked for. */
let toldClusters = 0;

/** One sidecar of each workload connects. */
export function connectAll(target: string): void {
  crowd = Array.from({ length: WORKLOADS }, (_, workload) => {
    return new LightEnvoy(target, sidecarId(workload), ({ type, added }) => {
      if (type.endsWith('.Cluster')) toldClusters += added.size;
    });
  });
  for (const envoy of crowd) envoy.connect();
}

/** How many of them hold at least so many learned clusters, each with its endpoints, and a route for each HTTP port. */
export function holding(clusters: number, ports: number): number {
  return crowd.filter((envoy) => {
    const learned = [...envoy.held('CDS').keys()].filter((name) => name.startsWith('outbound|'));
    const endpoints = envoy.held('EDS');
    return (
      learned.length >= clusters && learned.every((name) => endpoints.has(name)) && envoy.held('RDS').size >= ports
    );
  }).length;
}

/** How many hold which version of a service's endpoints. */
export function versionsOf(service: number): ReadonlyMap<string, number> {
  const versions = new Map<string, number>();
  for (const envoy of crowd) {
    const version = envoy.held('EDS').get(clusterOfService(service)) ?? 'none';
    versions.set(version, (versions.get(version) ?? 0) + 1);
  }
  return versions;
}

/** The first of them leave. */
export function disconnect(count: number): void {
  for (const envoy of crowd.slice(0, count)) envoy.disconnect();
}

/** They come back, and say what they hold. */
export function reconnect(count: number): void {
  toldClusters = 0;
  for (const envoy of crowd.slice(0, count)) envoy.connect();
}

/** Clusters that were told since the last {@link reconnect}. */
export function told(): number {
  return toldClusters;
}
