/** Every reason why a workload that should be lazy is not, each with the sentence that an operator reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalReason } from '../../../../controller/core/istio/refusal.ts';
import type { IstioSettings } from '../../../../controller/core/istio/settings.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { AuthorizationPolicy, NetworkPolicy } from '../../../../controller/core/mesh-policy.ts';
import type { WorkloadKey } from '../../../../controller/core/model.ts';
import { pod, service } from '../../../support/mesh-objects.ts';
import { sidecar } from '../../../support/policy-objects.ts';
import { EGRESS_ADDRESS, FRONT, front, hopRule, INSTALLED, IstioWorld, KILL_SWITCH } from './istio-world.ts';

const PAST_POLICIES =
  'or start the controller with --allow-relay-past-policies, which lets the egress call in their place';

const looksAtCaller: AuthorizationPolicy = {
  kind: 'AuthorizationPolicy',
  namespace: 'bank',
  name: 'tellers',
  callerField: 'spec.rules[0].from[0].source.principals',
};
const selectsFront: NetworkPolicy = {
  kind: 'NetworkPolicy',
  namespace: 'shop',
  name: 'closed',
  podSelector: { matchLabels: { app: 'front' }, matchExpressions: [] },
};
const lazy = (name: string, labels: Record<string, string>, more: object = {}): MeshObject =>
  pod(name, '10.0.0.7', { mode: 'Enforce', labels, ...more });
const mixed = Array.from({ length: 51 }, (_, index) =>
  service(`queue-${index}`, { 80: 'TCP' }, { clusterIP: `10.96.1.${index}` }),
);
const without = (name: string): MeshObject[] =>
  INSTALLED.filter((object) => object.name !== name || object.kind !== 'DestinationRule');

interface Refused {
  readonly objects?: readonly MeshObject[];
  readonly installed?: readonly MeshObject[];
  readonly workload?: WorkloadKey;
  readonly settings?: Partial<IstioSettings>;
  /** Before the mesh is complete. */
  readonly atStart?: (world: IstioWorld) => void;
  /** Before anything is asked. */
  readonly act?: (world: IstioWorld) => void;
  readonly message: string;
}

/** The type asks for every reason. */
const REFUSALS: Readonly<Record<RefusalReason, readonly Refused[]>> = {
  KillSwitch: [
    {
      objects: [front, KILL_SWITCH],
      message: 'ConfigMap lazyscope/lazyscope-kill-switch exists: delete it to let workloads be lazy again',
    },
  ],
  EgressDown: [
    {
      objects: [front],
      act: (world) => world.publishing.egressesConnected(new Set()),
      message: 'no egress is connected and ready: look at the pods of lazyscope-egress',
    },
  ],
  EgressRefuses: [
    {
      objects: [front],
      act: (world) => world.publishing.egressRefused(300),
      message:
        'egresses refused 300 connections within 30 s: see lazyscope_egress_refused_total for the reasons; ' +
        'add replicas or raise their limits',
    },
  ],
  HopMissing: [
    {
      objects: [front],
      installed: without('lazyscope-egress'),
      message:
        'no DestinationRule in lazyscope has host lazyscope-egress.lazyscope.svc.cluster.local: apply the manifests',
    },
    {
      objects: [front, hopRule({ proxyProtocol: 'V1' })],
      message: 'DestinationRule lazyscope/lazyscope-egress: set trafficPolicy.proxyProtocol.version to V2',
    },
  ],
  PlaintextHop: [
    {
      objects: [front, hopRule({ tls: 'SIMPLE' })],
      message:
        'DestinationRule lazyscope/lazyscope-egress: set trafficPolicy.tls.mode to ISTIO_MUTUAL, ' +
        'or start the controller with --allow-plaintext-hop',
    },
  ],
  PolicyLooksAtCaller: [
    {
      objects: [front, looksAtCaller],
      message: `AuthorizationPolicy bank/tellers: spec.rules[0].from[0].source.principals looks at the caller: remove it, ${PAST_POLICIES}`,
    },
  ],
  NetworkPolicy: [
    {
      objects: [front, selectsFront],
      message: `NetworkPolicy shop/closed: spec.podSelector selects Pod front-0: remove it, ${PAST_POLICIES}`,
    },
  ],
  PolicyUnreadable: [
    {
      objects: [front],
      atStart: (world) => world.publishing.unreadable(new Set(['NetworkPolicy'])),
      message: `NetworkPolicy objects may not be read: grant list and watch, ${PAST_POLICIES}`,
    },
    {
      objects: [front],
      atStart: (world) => world.publishing.unreadable(new Set(['AuthorizationPolicy'])),
      message: `AuthorizationPolicy objects may not be read: grant list and watch, ${PAST_POLICIES}`,
    },
  ],
  MixedPorts: [
    {
      objects: [front, ...mixed],
      message:
        '51 services such as shop/queue-0.shop.svc.cluster.local have a TCP port whose number is HTTP elsewhere: ' +
        'give them other numbers, or set protocolDetectionTimeout in the mesh config',
    },
  ],
  ExcludedNamespace: ['lazyscope', 'istio-system', 'kube-system', 'kube-public', 'kube-node-lease'].map(
    (namespace) => ({
      objects: [pod('front-0', '10.0.0.1', { namespace, mode: 'Enforce' })],
      workload: `${namespace}/Deployment/front`,
      message: `namespace ${namespace} is never made lazy`,
    }),
  ),
  HostNetwork: [
    { objects: [{ ...front, hostNetwork: true }], message: 'Pod shop/front-0 uses the network of its node' },
  ],
  Gateway: [{ objects: [{ ...front, role: 'Gateway' }], message: 'Pod shop/front-0 is a gateway' }],
  Ambient: [
    { objects: [{ ...front, role: 'Ambient' }], message: 'Pod shop/front-0 is an ambient one, without a sidecar' },
  ],
  PodsDiffer: [
    {
      objects: [front, { ...pod('front-1', '10.0.0.2'), mode: 'Off' }],
      message: 'pods of shop/Deployment/front differ in annotation lazyscope.io/mode (Enforce, Off): make them alike',
    },
    {
      objects: [front, pod('front-1', '10.0.0.2')],
      message:
        'pods of shop/Deployment/front differ in annotation lazyscope.io/mode (Enforce, Observe): make them alike',
    },
  ],
  NoCommonLabels: [
    {
      objects: [lazy('front-0', { app: 'front' }), lazy('front-1', { app: 'other' })],
      message: 'pods of shop/Deployment/front share no lasting label: give them one, for example app',
    },
    {
      objects: [lazy('front-0', { 'pod-template-hash': '5d4f' })],
      message: 'pods of shop/Deployment/front share no lasting label: give them one, for example app',
    },
  ],
  SelectorOverlap: [
    {
      objects: [front, pod('canary-0', '10.0.0.3', { labels: { app: 'front', track: 'canary' } })],
      message:
        'labels app=front of shop/Deployment/front also select Pod shop/canary-0 of shop/Deployment/canary: add one',
    },
  ],
  UserSidecar: [
    {
      objects: [front, { ...sidecar('theirs'), selector: { app: 'front' } }],
      message: 'Sidecar shop/theirs applies to these pods and stays in force: delete it to let them be lazy',
    },
    {
      objects: [front, sidecar('everybody')],
      message: 'Sidecar shop/everybody applies to these pods and stays in force: delete it to let them be lazy',
    },
    {
      objects: [front, { ...sidecar('default'), namespace: 'istio-system' }],
      message: 'Sidecar istio-system/default applies to these pods and stays in force: delete it to let them be lazy',
    },
  ],
  ShadowedHop: [
    {
      objects: [front, hopRule({ namespace: 'shop', name: 'all', host: '*.svc.cluster.local', tls: 'DISABLE' })],
      message:
        'DestinationRule shop/all: set trafficPolicy.tls.mode to ISTIO_MUTUAL, or start the controller with ' +
        "--allow-plaintext-hop (it stands before the egress's own in this namespace)",
    },
  ],
};

function refusalIn({
  objects = [],
  installed = INSTALLED,
  workload = FRONT,
  settings = {},
  atStart,
  act,
}: Omit<Refused, 'message'>) {
  const world = new IstioWorld({ objects: [...installed, ...objects], settings });
  atStart?.(world);
  world.begin();
  act?.(world);
  world.pass(1_000);
  const { published, refusal } = world.publishing.status(workload) ?? { published: undefined };
  return { isEager: published === undefined, refusal };
}

for (const [reason, all] of Object.entries(REFUSALS)) {
  for (const { message, ...parts } of all) {
    test(`${reason}: ${message}`, () => {
      assert.deepEqual(refusalIn(parts), { isEager: true, refusal: { reason, message } });
    });
  }
}

const ALLOWED: readonly (Omit<Refused, 'message'> & { readonly what: string })[] = [
  { what: 'nothing stands in the way', objects: [front] },
  {
    what: '--allow-plaintext-hop is set and the hop is in clear',
    objects: [front, hopRule({ tls: 'DISABLE' })],
    settings: { allowPlaintextHop: true },
  },
  {
    what: '--allow-relay-past-policies is set and policies look at the caller',
    objects: [front, looksAtCaller, selectsFront],
    settings: { allowRelayPastPolicies: true },
  },
  {
    what: '--allow-relay-past-policies is set and policies may not be read',
    objects: [front],
    settings: { allowRelayPastPolicies: true },
    atStart: (world) => world.publishing.unreadable(new Set(['NetworkPolicy', 'AuthorizationPolicy'])),
  },
  {
    what: 'kinds may not be read that are no policies',
    objects: [front],
    atStart: (world) => world.publishing.unreadable(new Set(['CronJob', 'Node'])),
  },
  {
    what: 'an AuthorizationPolicy does not look at the caller',
    objects: [front, { kind: 'AuthorizationPolicy', namespace: 'bank', name: 'jwt' }],
  },
  {
    what: 'policies guard our own namespace',
    objects: [
      front,
      { ...looksAtCaller, namespace: 'lazyscope' },
      { ...selectsFront, namespace: 'lazyscope', podSelector: { matchLabels: {}, matchExpressions: [] } },
      pod('lazyscope-egress-0', EGRESS_ADDRESS, { namespace: 'lazyscope' }),
    ],
  },
  {
    what: 'a NetworkPolicy selects no pod, or only finished ones',
    objects: [
      front,
      { ...selectsFront, podSelector: { matchLabels: { app: 'done' }, matchExpressions: [] } },
      pod('done-0', '10.0.0.4', { finished: true }),
    ],
  },
  {
    what: "a user's Sidecar selects other pods",
    objects: [front, { ...sidecar('theirs'), selector: { app: 'other' } }],
  },
  {
    what: 'a Sidecar of the root namespace selects pods there',
    objects: [front, { ...sidecar('gateway'), namespace: 'istio-system', selector: { app: 'front' } }],
  },
  {
    what: 'a DestinationRule of the namespace copies that of the hop',
    objects: [front, hopRule({ namespace: 'shop', name: 'copy' })],
  },
  {
    what: 'a DestinationRule of the namespace is for other hosts',
    objects: [front, hopRule({ namespace: 'shop', host: '*.shop.svc.cluster.local', tls: 'DISABLE' })],
  },
  {
    what: 'a finished pod would be selected too',
    objects: [front, pod('old-0', '10.0.0.3', { labels: { app: 'front' }, finished: true })],
  },
  {
    what: 'pods of another namespace have the same labels',
    objects: [front, pod('front-0', '10.0.0.3', { namespace: 'bank' })],
  },
  {
    what: '50 services are on mixed ports',
    objects: [front, ...mixed.slice(1)],
  },
];

for (const { what, ...parts } of ALLOWED) {
  test(`a workload is lazy where ${what}`, () => {
    assert.deepEqual(refusalIn(parts), { isEager: false, refusal: undefined });
  });
}
