import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asAddresses } from '../../../../controller/core/addresses.ts';
import type { Pod } from '../../../../controller/core/model.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import { podObject } from '../../../support/kubernetes-objects.ts';

const OPTIONS = { clusterDomain: 'cluster.local' };
type Parts = Parameters<typeof podObject>[1];

function reduced(parts: Parts): Pod {
  const { objects, problems } = reduce(podObject('cart-5d4-x', parts), OPTIONS);
  assert.deepEqual(problems, []);
  const [object] = objects;
  assert(object?.kind === 'Pod');
  return object;
}

const PLAIN: Pod = {
  kind: 'Pod',
  namespace: 'shop',
  name: 'cart-5d4-x',
  addresses: asAddresses(['10.1.0.10']),
  owner: { kind: 'ReplicaSet', name: 'cart-5d4' },
  hostNetwork: false,
  finished: false,
  labels: {},
  serviceAccount: 'default',
};

/** What differs from a plain pod. */
const CASES: readonly (readonly [string, Parts, Partial<Pod>])[] = [
  ['nothing more', {}, {}],
  [
    'two addresses',
    { status: { podIPs: [{ ip: '10.1.0.10' }, { ip: 'FD00::A' }] } },
    { addresses: ['10.1.0.10', 'fd00::a'] },
  ],
  ['only podIP', { status: { podIPs: undefined } }, {}],
  ['no address yet', { status: { phase: 'Pending', podIP: '', podIPs: null } }, { addresses: [] }],
  ['host network', { spec: { hostNetwork: true } }, { hostNetwork: true }],
  ['phase Succeeded', { status: { phase: 'Succeeded' } }, { finished: true }],
  ['phase Failed', { status: { phase: 'Failed' } }, { finished: true }],
  ['phase Unknown', { status: { phase: 'Unknown' } }, {}],
  ['a deletion mark', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }, {}],
  [
    'a start time, which counts before its creation',
    { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' }, status: { startTime: '2026-01-01T00:00:05Z' } },
    { startedAt: Date.UTC(2026, 0, 1, 0, 0, 5) },
  ],
  [
    'only a creation time',
    { metadata: { creationTimestamp: '2026-01-01T00:00:00Z' } },
    { startedAt: Date.UTC(2026, 0, 1) },
  ],
  [
    'a template hash',
    { metadata: { labels: { 'pod-template-hash': '5d4', app: 'cart' } } },
    { labels: { 'pod-template-hash': '5d4', app: 'cart' } },
  ],
  ['a service account', { spec: { serviceAccountName: 'cart' } }, { serviceAccount: 'cart' }],
  ['an empty service account', { spec: { serviceAccountName: '' } }, {}],
  ['a mode', { metadata: { annotations: { 'lazyscope.io/mode': 'off', other: 'x' } } }, { mode: 'Off' }],
];

for (const [what, parts, difference] of CASES) {
  test(`a pod with ${what}`, () => {
    assert.deepEqual(reduced(parts), { ...PLAIN, ...difference });
  });
}

/** Label or annotation, and what it says of the pod. */
const ROLES: readonly (readonly ['labels' | 'annotations', string, string, Pod['role']])[] = [
  ['labels', 'gateway.networking.k8s.io/gateway-name', 'ingress', 'Gateway'],
  ['labels', 'gateway.istio.io/managed', 'istio.io-gateway-controller', 'Gateway'],
  ['labels', 'inject.istio.io/templates', 'gateway', 'Gateway'],
  ['annotations', 'inject.istio.io/templates', 'gateway', 'Gateway'],
  ['annotations', 'inject.istio.io/templates', 'custom, gateway', 'Gateway'],
  ['annotations', 'inject.istio.io/templates', 'sidecar', undefined],
  ['annotations', 'gateway.istio.io/managed', 'x', undefined],
  ['annotations', 'ambient.istio.io/redirection', 'enabled', 'Ambient'],
  ['annotations', 'ambient.istio.io/redirection', 'disabled', undefined],
];

for (const [where, name, value, role] of ROLES) {
  test(`a pod with ${name}=${value} among its ${where} is ${role ?? 'an ordinary one'}`, () => {
    assert.equal(reduced({ metadata: { [where]: { [name]: value } } }).role, role);
  });
}

test('only the owner that controls the pod is its owner', () => {
  const ownerReferences = [
    { kind: 'Node', name: 'n1' },
    { kind: 'StatefulSet', name: 'db', controller: true },
  ];
  assert.deepEqual(reduced({ metadata: { ownerReferences } }).owner, { kind: 'StatefulSet', name: 'db' });
  assert.equal('owner' in reduced({ metadata: { ownerReferences: [{ kind: 'Node', name: 'n1' }] } }), false);
});

test('a pod with an unknown mode is kept without it', () => {
  const annotations = { 'lazyscope.io/mode': 'lazy' };
  const { objects, problems, rejected } = reduce(podObject('cart-5d4-x', { metadata: { annotations } }), OPTIONS);
  assert.deepEqual(objects, [PLAIN]);
  assert.deepEqual(rejected, []);
  assert.match(problems[0]?.reason ?? '', /lazyscope\.io\/mode is "lazy" and was ignored: write one of Off, Observe/);
});

const WRONG: readonly (readonly [Parts, string])[] = [
  [{ status: { podIP: 'x' } }, 'status.podIP: expected an IPv4 or IPv6 address, received "x"'],
  [
    { status: { podIPs: [{ ip: '10.0.0' }] } },
    'status.podIPs[0].ip: expected an IPv4 or IPv6 address, received "10.0.0"',
  ],
  [{ status: { startTime: 'now' } }, 'status.startTime: expected a time such as 2026-01-31T12:00:00Z, received "now"'],
  [{ spec: { hostNetwork: 'yes' } }, 'spec.hostNetwork: expected boolean, received string'],
  [
    { metadata: { labels: { 'pod-template-hash': 54 } } },
    'metadata.labels.pod-template-hash: expected string, received number',
  ],
];

for (const [parts, reason] of WRONG) {
  test(`a wrong pod is rejected by name and field: ${reason}`, () => {
    const { objects, problems } = reduce(podObject('cart-5d4-x', parts), OPTIONS);
    assert.deepEqual(objects, []);
    assert.deepEqual(problems, [{ subject: 'Pod shop/cart-5d4-x', reason }]);
  });
}
