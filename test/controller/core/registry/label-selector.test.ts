import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { LabelSelector } from '../../../../controller/core/mesh-policy.ts';
import type { Labels } from '../../../../controller/core/model.ts';
import { selects } from '../../../../controller/core/registry/label-selector.ts';

type Requirement = LabelSelector['matchExpressions'][number];

const requirement = (key: string, operator: Requirement['operator'], ...values: string[]): Requirement => ({
  key,
  operator,
  values,
});

const CASES: readonly (readonly [Labels, readonly Requirement[], Labels, boolean])[] = [
  [{}, [], {}, true],
  [{}, [], { app: 'a' }, true],
  [{ app: 'a' }, [], { app: 'a', tier: 'x' }, true],
  [{ app: 'a' }, [], { app: 'b' }, false],
  [{ app: 'a' }, [], {}, false],
  [{ app: 'a', tier: 'x' }, [], { app: 'a' }, false],
  [{}, [requirement('app', 'In', 'a', 'b')], { app: 'b' }, true],
  [{}, [requirement('app', 'In', 'a', 'b')], { app: 'c' }, false],
  [{}, [requirement('app', 'In', 'a')], {}, false],
  [{}, [requirement('app', 'NotIn', 'a')], { app: 'b' }, true],
  [{}, [requirement('app', 'NotIn', 'a')], {}, true],
  [{}, [requirement('app', 'NotIn', 'a')], { app: 'a' }, false],
  [{}, [requirement('app', 'Exists')], { app: '' }, true],
  [{}, [requirement('app', 'Exists')], {}, false],
  [{}, [requirement('app', 'DoesNotExist')], {}, true],
  [{}, [requirement('app', 'DoesNotExist')], { app: 'a' }, false],
  [{}, [requirement('constructor', 'Exists')], {}, false],
  [{ app: 'a' }, [requirement('tier', 'Exists')], { app: 'a' }, false],
  [{}, [requirement('app', 'Exists'), requirement('app', 'NotIn', 'a')], { app: 'a' }, false],
];

for (const [matchLabels, matchExpressions, labels, matches] of CASES) {
  const selector = { matchLabels, matchExpressions };
  it(`${JSON.stringify(selector)} ${matches ? 'selects' : 'does not select'} ${JSON.stringify(labels)}`, () => {
    assert.equal(selects(selector, labels), matches);
  });
}
