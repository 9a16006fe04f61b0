import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonLabels, selectsLabels } from '../../../../controller/core/istio/selector.ts';
import type { Labels } from '../../../../controller/core/model.ts';

const shared = (...pods: readonly Labels[]): Labels => commonLabels(pods.map((labels) => ({ labels })));

const volatile = [
  'pod-template-hash',
  'pod-template-generation',
  'controller-revision-hash',
  'controller-uid',
  'job-name',
  'batch.kubernetes.io/controller-uid',
  'batch.kubernetes.io/job-name',
  'batch.kubernetes.io/job-completion-index',
  'apps.kubernetes.io/pod-index',
  'statefulset.kubernetes.io/pod-name',
];

for (const label of volatile) {
  test(`${label} is no part of a selector, though every pod has it`, () => {
    assert.deepEqual(shared({ app: 'a', [label]: 'x' }, { app: 'a', [label]: 'x' }), { app: 'a' });
  });
}

const cases: readonly (readonly [what: string, pods: readonly Labels[], selector: Labels])[] = [
  ['no pods have no labels in common', [], {}],
  ['one pod has all of its own', [{ b: '2', a: '1' }], { a: '1', b: '2' }],
  [
    'labels that differ are left out',
    [
      { app: 'a', version: '1' },
      { app: 'a', version: '2' },
    ],
    { app: 'a' },
  ],
  ['labels that one pod lacks are left out', [{ app: 'a', tier: 'x' }, { app: 'a' }], { app: 'a' }],
  ['labels with an empty value count', [{ app: '' }, { app: '' }], { app: '' }],
  [
    'user labels that begin alike stay',
    [{ 'job-name-of-mine': 'a', 'batch.kubernetes.io': 'b' }],
    {
      'batch.kubernetes.io': 'b',
      'job-name-of-mine': 'a',
    },
  ],
];

for (const [what, pods, selector] of cases) {
  test(what, () => {
    assert.deepEqual(shared(...pods), selector);
  });
}

test('equal labels make the same text, in whatever order they are told', () => {
  assert.equal(JSON.stringify(shared({ b: '2', a: '1' })), JSON.stringify(shared({ a: '1', b: '2' })));
});

const selections: readonly (readonly [selector: Labels, labels: Labels, selects: boolean])[] = [
  [{ app: 'a' }, { app: 'a', version: '1' }, true],
  [{ app: 'a', version: '1' }, { app: 'a' }, false],
  [{ app: 'a' }, { app: 'b' }, false],
  [{}, {}, true],
  [{}, { app: 'a' }, true],
];

for (const [selector, labels, selects] of selections) {
  test(`${JSON.stringify(selector)} ${selects ? 'selects' : 'does not select'} ${JSON.stringify(labels)}`, () => {
    assert.equal(selectsLabels(selector, labels), selects);
  });
}
