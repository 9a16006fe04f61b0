import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchWorkloads, parseWorkloadName } from '../../../controller/cli/workload-name.ts';
import type { WorkloadReport } from '../../../controller/core/report.ts';
import { shop } from '../http/shop.ts';

function report(workload: string, ...pods: readonly string[]): WorkloadReport {
  return {
    workload,
    mode: 'Enforce',
    modeSource: 'default',
    dependencies: 0,
    relayed: 0,
    clusters: { kept: 0, total: 0 },
    pods: pods.map((name) => ({ name, addresses: [] })),
    proxies: [],
  };
}

const reports = [
  ...shop.workloads({}),
  report('bank/CronJob/audit', 'audit-1'),
  report('bank/Rollout/payments.v2', 'payments.v2-abc'),
  report('ops/Pod/shell', 'shell'),
  report('ops/DaemonSet/agent', 'agent-x'),
  report('ops/Job/init', 'init-x'),
];

const cases: readonly (readonly [text: string, namespace: string | undefined, found: readonly string[]])[] = [
  ['shop/Deployment/cart', undefined, ['shop/Deployment/cart']],
  ['shop/Deployment/cart', 'lab', ['shop/Deployment/cart']],
  ['shop/deploy/cart', undefined, ['shop/Deployment/cart']],
  ['deploy/cart', undefined, ['lab/Deployment/cart', 'shop/Deployment/cart']],
  ['deploy/cart', 'shop', ['shop/Deployment/cart']],
  ['deployment/cart.shop', undefined, ['shop/Deployment/cart']],
  ['deployments/cart.shop', undefined, ['shop/Deployment/cart']],
  ['Deployment/cart', 'lab', ['lab/Deployment/cart']],
  ['sts/redis', undefined, ['shop/StatefulSet/redis']],
  ['statefulset/redis.shop', undefined, ['shop/StatefulSet/redis']],
  ['ds/agent', undefined, ['ops/DaemonSet/agent']],
  ['daemonsets/agent', undefined, ['ops/DaemonSet/agent']],
  ['cj/audit.bank', undefined, ['bank/CronJob/audit']],
  ['cronjob/audit', undefined, ['bank/CronJob/audit']],
  ['job/init.ops', undefined, ['ops/Job/init']],
  ['rollout/payments.v2', undefined, ['bank/Rollout/payments.v2']],
  ['rollout/payments.v2.bank', undefined, ['bank/Rollout/payments.v2']],
  ['pod/shell', undefined, ['ops/Pod/shell']],
  ['po/cart-55c8-aaaaa', 'shop', ['shop/Deployment/cart']],
  ['cart-55c8-aaaaa.shop', undefined, ['shop/Deployment/cart']],
  ['checkout-7d9f-bbbbb.shop', undefined, ['shop/Deployment/checkout']],
  ['payments.v2-abc.bank', undefined, ['bank/Rollout/payments.v2']],
  ['payments.v2-abc', undefined, ['bank/Rollout/payments.v2']],
  ['cart.lab', undefined, ['lab/Deployment/cart']],
  ['redis', undefined, ['shop/StatefulSet/redis']],
  ['deploy/redis', undefined, []],
  ['deploy/cart-55c8-aaaaa', undefined, []],
  ['cart.nowhere', undefined, []],
  ['redis', 'lab', []],
];

for (const [text, namespace, found] of cases) {
  test(`"${text}"${namespace ? ` -n ${namespace}` : ''} means ${found.join(' or ') || 'nothing'}`, () => {
    const matches = matchWorkloads(parseWorkloadName(text), reports, namespace);
    assert.deepEqual(
      matches.map((match) => match.report.workload),
      found,
    );
  });
}

test('a pod that was named is known by name', () => {
  const [found] = matchWorkloads(parseWorkloadName('checkout-7d9f-bbbbb.shop'), reports);
  assert.equal(found?.pod, 'checkout-7d9f-bbbbb');
});

for (const text of ['a/b/c/d', '/cart', 'deploy/', 'a//b', '']) {
  test(`"${text}" is refused with the grammar`, () => {
    assert.throws(() => parseWorkloadName(text), { message: /namespace\/Kind\/name/ });
  });
}
