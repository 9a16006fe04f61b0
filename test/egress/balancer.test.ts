import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Balancer } from '../../egress/balancer.ts';

const [A, B, C] = [1, 2, 3].map((port) => ({ address: '10.0.0.1', port })) as [Endpoint, Endpoint, Endpoint];
type Endpoint = { address: string; port: number };

test('of two endpoints the one with fewer connections is picked', () => {
  const balancer = new Balancer();
  balancer.opened(A);
  for (let round = 0; round < 20; round += 1) assert.equal(balancer.pick([A, B], []), B);
  balancer.closed(A);
  balancer.opened(B);
  for (let round = 0; round < 20; round += 1) assert.equal(balancer.pick([A, B], []), A);
});

test('two different ones are compared, whatever the random numbers', () => {
  for (const random of [0, 0.34, 0.67, 0.999]) {
    const balancer = new Balancer(() => random);
    for (const endpoint of [A, B, C]) balancer.opened(endpoint);
    const picked = balancer.pick([A, B, C], []);
    assert.ok(picked);
    balancer.opened(picked);
    assert.notEqual(balancer.pick([A, B, C], []), picked);
  }
});

test('what was tried is not picked again', () => {
  const balancer = new Balancer();
  assert.equal(balancer.pick([A, B], [A]), B);
  assert.equal(balancer.pick([A, B], [A, B]), undefined);
  assert.equal(balancer.pick([], []), undefined);
});
