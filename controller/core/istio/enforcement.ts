/** Whether a workload is to be lazy, and by which labels its pods are found. */
import { namespaceOf } from '../key-parts.ts';
import type { DestinationRule } from '../mesh-policy.ts';
import type { Labels, Mode, Pod, WorkloadKey } from '../model.ts';
import { hopRefusal, type PolicyView } from './mesh-refusal.ts';
import { type Refusal, refusal } from './refusal.ts';
import { commonLabels, selectsLabels } from './selector.ts';
import { EGRESS_SERVICE, type IstioSettings, ownHost } from './settings.ts';

/** What is asked of the registry about workloads. */
export interface WorkloadView extends PolicyView {
  podsOf(workload: WorkloadKey): Iterable<Pod>;
  workloadOf(pod: Pod): WorkloadKey;
  modeOf(pod: Pod): Mode;
  /** Whether the object that controls the workload's pods may exist: `false` only where it is known to be gone. */
  mayExist(workload: WorkloadKey): boolean;
}

export type Enforcement =
  | { readonly kind: 'Lazy'; readonly selector: Labels }
  /** It has no pods now: what it has stays as it is. */
  | { readonly kind: 'Asleep' }
  /** `refusal`: it should be lazy, but must not. */
  | { readonly kind: 'Eager'; readonly refusal?: Refusal };

/** Namespaces whose pods are the mesh itself, or the cluster's. */
const SYSTEM_NAMESPACES = ['kube-system', 'kube-public', 'kube-node-lease'];

/** @param mesh what refuses the whole mesh, if anything does */
export function enforcementOf(
  workload: WorkloadKey,
  view: WorkloadView,
  settings: IstioSettings,
  mesh: Refusal | undefined,
): Enforcement {
  const pods = [...view.podsOf(workload)].filter(({ finished }) => !finished);
  // Asleep under a refusal of the mesh, it would wake up lazy.
  if (pods.length === 0) return { kind: view.mayExist(workload) && !mesh ? 'Asleep' : 'Eager' };
  const modes = new Set(pods.map((pod) => view.modeOf(pod)));
  if (!modes.has('Enforce')) return { kind: 'Eager' };
  const selector = commonLabels(pods);
  const why =
    mesh ??
    differing(workload, modes) ??
    unsuitable(pods, namespaceOf(workload), settings) ??
    overlap(workload, selector, view) ??
    userSidecar(pods, view, settings) ??
    shadowed(workload, view, settings);
  return why ? { kind: 'Eager', refusal: why } : { kind: 'Lazy', selector };
}

function differing(workload: WorkloadKey, modes: ReadonlySet<Mode>): Refusal | undefined {
  if (modes.size === 1) return undefined;
  const found = [...modes].sort().join(', ');
  return refusal(
    'PodsDiffer',
    `pods of ${workload} differ in annotation lazyscope.io/mode (${found}): make them alike`,
  );
}

function unsuitable(pods: readonly Pod[], namespace: string, settings: IstioSettings): Refusal | undefined {
  if ([settings.namespace, settings.rootNamespace, ...SYSTEM_NAMESPACES].includes(namespace)) {
    return refusal('ExcludedNamespace', `namespace ${namespace} is never made lazy`);
  }
  const hostNetwork = pods.find((pod) => pod.hostNetwork);
  if (hostNetwork) return refusal('HostNetwork', `Pod ${namespace}/${hostNetwork.name} uses the network of its node`);
  const other = pods.find(({ role }) => role !== undefined);
  if (!other?.role) return undefined;
  const what = other.role === 'Gateway' ? 'is a gateway' : 'is an ambient one, without a sidecar';
  return refusal(other.role, `Pod ${namespace}/${other.name} ${what}`);
}

function overlap(workload: WorkloadKey, selector: Labels, view: WorkloadView): Refusal | undefined {
  if (Object.keys(selector).length === 0) {
    return refusal('NoCommonLabels', `pods of ${workload} share no lasting label: give them one, for example app`);
  }
  for (const pod of view.podsIn(namespaceOf(workload))) {
    if (pod.finished || view.workloadOf(pod) === workload || !selectsLabels(selector, pod.labels)) continue;
    const labels = Object.entries(selector).map((pair) => pair.join('='));
    const other = `Pod ${pod.namespace}/${pod.name} of ${view.workloadOf(pod)}`;
    return refusal('SelectorOverlap', `labels ${labels.join(',')} of ${workload} also select ${other}: add one`);
  }
  return undefined;
}

function userSidecar(pods: readonly Pod[], view: WorkloadView, settings: IstioSettings): Refusal | undefined {
  const [{ namespace } = { namespace: '' }] = pods;
  const candidates = [...view.sidecarsIn(namespace), ...wholeMesh(view, settings)];
  const applying = candidates.find(
    ({ managed, selector = {} }) => !managed && pods.some(({ labels }) => selectsLabels(selector, labels)),
  );
  if (!applying) return undefined;
  const subject = `Sidecar ${applying.namespace}/${applying.name}`;
  return refusal('UserSidecar', `${subject} applies to these pods and stays in force: delete it to let them be lazy`);
}

/** A Sidecar without selector in the root namespace is every namespace's default. */
function wholeMesh(view: WorkloadView, { rootNamespace }: IstioSettings) {
  return [...view.sidecarsIn(rootNamespace)].filter(({ selector }) => selector === undefined);
}

/** A client's own namespace comes first when istiod looks for the DestinationRule of a host. */
function shadowed(workload: WorkloadKey, view: WorkloadView, settings: IstioSettings): Refusal | undefined {
  const host = ownHost(settings, EGRESS_SERVICE);
  for (const rule of view.destinationRulesIn(namespaceOf(workload))) {
    if (!covers(rule, host)) continue;
    const wrong = hopRefusal(rule, settings);
    if (wrong) return refusal('ShadowedHop', `${wrong.message} (it stands before the egress's own in this namespace)`);
  }
  return undefined;
}

/** Whether a DestinationRule's host, possibly a wildcard, covers this one. */
function covers({ host }: DestinationRule, name: string): boolean {
  return host === name || (host.startsWith('*') && name.endsWith(host.slice(1)));
}
