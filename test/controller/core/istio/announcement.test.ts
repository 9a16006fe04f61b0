import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventOf } from '../../../../controller/core/istio/announcement.ts';
import { SETTINGS } from './istio-world.ts';

const refusal = { reason: 'KillSwitch', message: 'ConfigMap x exists' } as const;

test('what concerns a workload is told of it', () => {
  assert.deepEqual(eventOf({ workload: 'shop/StatefulSet/db', refusal }, SETTINGS), {
    about: { apiVersion: 'apps/v1', kind: 'StatefulSet', namespace: 'shop', name: 'db' },
    type: 'Warning',
    reason: 'KillSwitch',
    message: 'shop/StatefulSet/db is eager: ConfigMap x exists',
  });
});

test('what concerns everybody is told of the Service of the egress, its end too', () => {
  const about = { apiVersion: 'v1', kind: 'Service', namespace: 'lazyscope', name: 'lazyscope-egress' };
  assert.deepEqual(eventOf({ workload: undefined, refusal }, SETTINGS), {
    about,
    type: 'Warning',
    reason: 'KillSwitch',
    message: 'every workload is eager: ConfigMap x exists',
  });
  assert.deepEqual(eventOf({ workload: undefined, refusal: undefined }, SETTINGS), {
    about,
    type: 'Normal',
    reason: 'LazyAgain',
    message: 'every workload may be lazy again',
  });
});

for (const [kind, apiVersion] of [
  ['Deployment', 'apps/v1'],
  ['DaemonSet', 'apps/v1'],
  ['Job', 'batch/v1'],
  ['CronJob', 'batch/v1'],
  ['Pod', 'v1'],
  ['Rollout', 'argoproj.io/v1alpha1'],
] as const) {
  test(`a ${kind} is of ${apiVersion}`, () => {
    assert.equal(eventOf({ workload: `shop/${kind}/x`, refusal }, SETTINGS).about.apiVersion, apiVersion);
  });
}
