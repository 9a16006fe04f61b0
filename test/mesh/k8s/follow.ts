/** A started source on a bed's API server, and what it tells. */
import type { TestContext } from 'node:test';
import { type Cluster, connectCluster } from '../../../controller/k8s/cluster.ts';
import { KubernetesSource } from '../../../controller/k8s/kubernetes-source.ts';
import type { KubernetesTimings } from '../../../controller/k8s/timings.ts';
import { RecordingMeshSink } from '../../support/recording-mesh-sink.ts';

/** Everything that waits for minutes otherwise. */
const IMPATIENT: Partial<KubernetesTimings> = {
  firstRetry: 50,
  longestRetry: 500,
  calmRetry: 200,
  secondLook: 500,
};

export interface FollowOptions {
  readonly kubeconfig?: string;
  /** Instead of it. */
  readonly cluster?: Cluster;
  /** Default `istio`. */
  readonly mode?: 'direct' | 'istio';
  readonly timings?: Partial<KubernetesTimings>;
  readonly onListed?: (resource: string) => void;
}

export interface Followed {
  readonly source: KubernetesSource;
  readonly sink: RecordingMeshSink;
}

/** Starts a source that stops when the test ends; resolves once it is synced. */
export async function follow(t: TestContext, options: FollowOptions): Promise<Followed> {
  const { started, ...followed } = await beginToFollow(t, options);
  await started;
  return followed;
}

/** As {@link follow}, but does not wait. @returns `started`: resolves once it is synced */
export async function beginToFollow(
  t: TestContext,
  options: FollowOptions,
): Promise<Followed & { readonly started: Promise<void> }> {
  const { kubeconfig = '', mode = 'istio', timings, onListed } = options;
  const source = new KubernetesSource({
    cluster: options.cluster ?? (await connectCluster({ kubeconfig })),
    clusterDomain: 'cluster.local',
    mode,
    namespace: 'lazyscope',
    timings: { ...IMPATIENT, ...timings },
    ...(onListed ? { onListed } : {}),
  });
  t.after(() => source.stop());
  const sink = new RecordingMeshSink();
  return { source, sink, started: source.start(sink) };
}

/** The line of `/readyz`, as `degraded: detail` or its detail alone. */
export function checkOf(source: KubernetesSource, name: string): string {
  const check = source.checks().find((one) => one.name === name);
  return check?.degraded ? `degraded: ${check.detail}` : (check?.detail ?? 'no such check');
}
