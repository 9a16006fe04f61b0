/** What keeps a whole mesh from being lazy. Pure: the answer depends on the view alone. */

import type { MeshObject } from '../mesh-object.ts';
import type { AuthorizationPolicy, DestinationRule, LabelSelector, NetworkPolicy, Sidecar } from '../mesh-policy.ts';
import type { Labels, Pod } from '../model.ts';
import { type Refusal, refusal } from './refusal.ts';
import { EGRESS_SERVICE, type IstioSettings, KILL_SWITCH, ownHost } from './settings.ts';

/** What is asked of the registry. */
export interface PolicyView {
  readonly hasKillSwitch: boolean;
  readonly unreadable: ReadonlySet<MeshObject['kind']>;
  destinationRulesIn(namespace: string): Iterable<DestinationRule>;
  sidecarsIn(namespace: string): Iterable<Sidecar>;
  authorizationPolicies(): Iterable<AuthorizationPolicy>;
  networkPolicies(): Iterable<NetworkPolicy>;
  podsIn(namespace: string): Iterable<Pod>;
  selects(selector: LabelSelector, labels: Labels): boolean;
}

/** The first thing that refuses every workload; `undefined`: nothing does. */
export function meshRefusal(view: PolicyView, settings: IstioSettings): Refusal | undefined {
  return killSwitch(view, settings) ?? hop(view, settings) ?? policies(view, settings);
}

function killSwitch(view: PolicyView, { namespace }: IstioSettings): Refusal | undefined {
  if (!view.hasKillSwitch) return undefined;
  const object = `ConfigMap ${namespace}/${KILL_SWITCH}`;
  return refusal('KillSwitch', `${object} exists: delete it to let workloads be lazy again`);
}

/** The sidecars must tell the egress the original destination, and under mTLS who they are. */
function hop(view: PolicyView, settings: IstioSettings): Refusal | undefined {
  const host = ownHost(settings, EGRESS_SERVICE);
  const rules = [...view.destinationRulesIn(settings.namespace)].filter((rule) => rule.host === host);
  const [rule] = rules;
  if (!rule) {
    return refusal('HopMissing', `no DestinationRule in ${settings.namespace} has host ${host}: apply the manifests`);
  }
  return hopRefusal(rule, settings);
}

/** What is wrong with a DestinationRule as the one of the hop. */
export function hopRefusal(rule: DestinationRule, { allowPlaintextHop }: IstioSettings): Refusal | undefined {
  const subject = `DestinationRule ${rule.namespace}/${rule.name}`;
  if (rule.proxyProtocol !== 'V2') {
    return refusal('HopMissing', `${subject}: set trafficPolicy.proxyProtocol.version to V2`);
  }
  if (rule.tls === 'ISTIO_MUTUAL' || allowPlaintextHop) return undefined;
  return refusal(
    'PlaintextHop',
    `${subject}: set trafficPolicy.tls.mode to ISTIO_MUTUAL, or start the controller with --allow-plaintext-hop`,
  );
}

/** The egress would hide from them who calls. */
function policies(view: PolicyView, settings: IstioSettings): Refusal | undefined {
  if (settings.allowRelayPastPolicies) return undefined;
  return unreadable(view) ?? lookingAtCaller(view, settings) ?? selectingPods(view, settings);
}

const OR_ALLOW = 'or start the controller with --allow-relay-past-policies, which lets the egress call in their place';

function unreadable({ unreadable: kinds }: PolicyView): Refusal | undefined {
  const kind = (['AuthorizationPolicy', 'NetworkPolicy'] as const).find((candidate) => kinds.has(candidate));
  return kind && refusal('PolicyUnreadable', `${kind} objects may not be read: grant list and watch, ${OR_ALLOW}`);
}

function lookingAtCaller(view: PolicyView, { namespace }: IstioSettings): Refusal | undefined {
  for (const policy of view.authorizationPolicies()) {
    if (policy.callerField === undefined || policy.namespace === namespace) continue;
    const subject = `AuthorizationPolicy ${policy.namespace}/${policy.name}`;
    return refusal(
      'PolicyLooksAtCaller',
      `${subject}: ${policy.callerField} looks at the caller: remove it, ${OR_ALLOW}`,
    );
  }
  return undefined;
}

function selectingPods(view: PolicyView, { namespace }: IstioSettings): Refusal | undefined {
  for (const policy of view.networkPolicies()) {
    if (policy.namespace === namespace) continue;
    for (const pod of view.podsIn(policy.namespace)) {
      if (pod.finished || !view.selects(policy.podSelector, pod.labels)) continue;
      const subject = `NetworkPolicy ${policy.namespace}/${policy.name}`;
      return refusal('NetworkPolicy', `${subject}: spec.podSelector selects Pod ${pod.name}: remove it, ${OR_ALLOW}`);
    }
  }
  return undefined;
}
