/** Labels that select a workload's pods, and no others. */
import type { Labels, Pod } from '../model.ts';

/** Set by Kubernetes' controllers: they differ between pods, or change with every rollout. */
const VOLATILE = new Set([
  'pod-template-hash',
  'pod-template-generation',
  'controller-revision-hash',
  'controller-uid',
  'job-name',
  'apps.kubernetes.io/pod-index',
  'statefulset.kubernetes.io/pod-name',
]);
const VOLATILE_PREFIX = 'batch.kubernetes.io/';

/** The labels that all these pods share, less those that do not last. */
export function commonLabels(pods: readonly Pick<Pod, 'labels'>[]): Labels {
  const [first, ...others] = pods;
  const shared = Object.entries(first?.labels ?? {}).filter(
    ([key, value]) =>
      !VOLATILE.has(key) && !key.startsWith(VOLATILE_PREFIX) && others.every(({ labels }) => labels[key] === value),
  );
  return Object.fromEntries(shared.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether labels carry all of a selector's, as Istio's `workloadSelector` asks. An empty selector matches everything. */
export function selectsLabels(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
