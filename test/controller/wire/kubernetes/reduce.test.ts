import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments } from 'yaml';
import { reduce, reduceAs } from '../../../../controller/wire/kubernetes/reduce.ts';
import { type KubernetesObject, podObject, serviceObject } from '../../../support/kubernetes-objects.ts';

const OPTIONS = { clusterDomain: 'cluster.local' };
const GOLDEN = new URL('../../../golden/kubernetes/', import.meta.url);

test('what kubectl prints reduces to the golden objects', () => {
  const documents = parseAllDocuments(readFileSync(new URL('kubectl.yaml', GOLDEN), 'utf8'));
  const { objects, problems, ignored } = reduce(documents[0]?.toJS(), OPTIONS);
  assert.deepEqual(problems, []);
  assert.deepEqual({ objects, ignored }, JSON.parse(readFileSync(new URL('kubectl.json', GOLDEN), 'utf8')));
});

const CLUSTER_SCOPED: readonly (readonly [KubernetesObject, KubernetesObject])[] = [
  [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'shop', annotations: { 'lazyscope.io/mode': 'Observe' } },
    },
    { kind: 'Namespace', namespace: '', name: 'shop', mode: 'Observe' },
  ],
  [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', annotations: null } },
    { kind: 'Namespace', namespace: '', name: 'shop' },
  ],
  [
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.168.0.1' },
          { type: 'Hostname', address: 'n1' },
          { type: 'ExternalIP', address: '2001:DB8::1' },
        ],
      },
    },
    { kind: 'Node', namespace: '', name: 'n1', addresses: ['192.168.0.1', '2001:db8::1'] },
  ],
];

for (const [object, expected] of CLUSTER_SCOPED) {
  test(`${object['kind']} reduces to ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(reduce(object, OPTIONS).objects, [expected]);
  });
}

for (const [apiVersion, kind, owner] of [
  ['apps/v1', 'ReplicaSet', 'Deployment'],
  ['batch/v1', 'Job', 'CronJob'],
]) {
  test(`${kind} keeps only its owner`, () => {
    const ownerReferences = [{ kind: owner, name: 'cart', controller: true }];
    const object = { apiVersion, kind, metadata: { name: 'cart-1', namespace: 'shop', ownerReferences }, spec: 'any' };
    assert.deepEqual(reduce(object, OPTIONS).objects, [
      { kind, namespace: 'shop', name: 'cart-1', owner: { kind: owner, name: 'cart' } },
    ]);
  });
}

test('an object without a namespace is in the default one', () => {
  const [object] = reduce(serviceObject('cart', {}, { namespace: undefined }), OPTIONS).objects;
  assert(object?.kind === 'Service');
  assert.deepEqual([object.namespace, object.host], ['default', 'cart.default.svc.cluster.local']);
});

for (const [apiVersion, kind] of [
  ['apps/v1', 'ControllerRevision'],
  ['serving.knative.dev/v1', 'Service'],
  ['discovery.k8s.io/v1beta1', 'EndpointSlice'],
  ['example.com/v1', 'PriceList'],
]) {
  test(`${apiVersion} ${kind} is ignored by kind, without a problem`, () => {
    const { objects, problems, ignored } = reduce({ apiVersion, kind, metadata: { name: 'x' } }, OPTIONS);
    assert.deepEqual([objects, problems], [[], []]);
    assert.deepEqual(ignored, [{ kind: `${apiVersion} ${kind}` }]);
  });
}

test('the items of a typed list need no kind of their own', () => {
  const { kind, apiVersion, ...item } = serviceObject('cart');
  const { objects } = reduce({ apiVersion, kind: `${kind}List`, items: [item] }, OPTIONS);
  assert.deepEqual(objects, reduce(serviceObject('cart'), OPTIONS).objects);
});

test('the items of a list may be null', () => {
  assert.deepEqual(
    reduce({ apiVersion: 'v1', kind: 'PodList', items: null }, OPTIONS),
    reduce({ apiVersion: 'v1', kind: 'List', items: [] }, OPTIONS),
  );
});

test('a wrong object in a list stops none of the others', () => {
  const items = [
    serviceObject('a'),
    serviceObject('b', { ports: 1 }),
    'c',
    null,
    { apiVersion: 'apps/v1', kind: 'ControllerRevision' },
    serviceObject('d'),
  ];
  const { objects, problems, unnamed, ignored } = reduce({ apiVersion: 'v1', kind: 'List', items }, OPTIONS);
  assert.deepEqual(
    objects.map(({ name }) => name),
    ['a', 'd'],
  );
  assert.deepEqual(
    problems.map(({ subject }) => subject),
    ['Service shop/b', 'object', 'object'],
  );
  assert.equal(unnamed, 2);
  assert.deepEqual(ignored, [{ kind: 'apps/v1 ControllerRevision' }]);
});

for (const value of [null, 'text', 7, [], {}, { kind: 'Pod' }, { apiVersion: 'v1', kind: 3 }]) {
  test(`${JSON.stringify(value)} is a problem: no Kubernetes object`, () => {
    const { problems, unnamed } = reduce(value, OPTIONS);
    assert.deepEqual(problems, [
      { subject: 'object', reason: 'expected a Kubernetes object with apiVersion and kind' },
    ]);
    assert.equal(unnamed, 1);
  });
}

test('a known kind without a name is a problem that cannot say whose', () => {
  const { problems, rejected, unnamed } = reduce({ apiVersion: 'v1', kind: 'Pod' }, OPTIONS);
  assert.deepEqual(problems, [
    { subject: 'Pod without a name', reason: 'metadata: expected object, received undefined' },
  ]);
  assert.deepEqual([rejected, unnamed], [[], 1]);
});

test('whatever is in an object, reduce returns, and says something about it', () => {
  const kinds = fc.constantFrom('Service', 'Pod', 'Namespace', 'Node', 'List', 'ServiceList', 'Other');
  const object = fc.record(
    {
      apiVersion: fc.constant('v1'),
      kind: kinds,
      metadata: fc.anything(),
      spec: fc.anything(),
      status: fc.anything(),
      items: fc.anything(),
    },
    { requiredKeys: ['apiVersion', 'kind'] },
  );
  fc.assert(
    fc.property(object, (value) => {
      const { objects, problems, ignored } = reduce(value, OPTIONS);
      const empty = Array.isArray(value.items) ? value.items.length === 0 : value.items === null;
      assert(objects.length + problems.length + ignored.length > 0 || empty);
    }),
  );
});

test('equal objects reduce to equal ones', () => {
  assert.deepEqual(reduce(podObject('a'), OPTIONS), reduce(structuredClone(podObject('a')), OPTIONS));
});

test('an item of a list, which does not say what it is, reduces as the kind that was listed', () => {
  const { apiVersion, kind, ...item } = podObject('a');
  assert.deepEqual(reduceAs('v1', 'Pod', item, OPTIONS), reduce({ apiVersion, kind, ...item }, OPTIONS));
  assert.throws(() => reduceAs('v1', 'Secret', item, OPTIONS), /v1 Secret is not read/);
});
