import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pairedBlocks, rateRatio } from './paired-blocks.ts';

test('blocks run in the order A B B A, and neighbours are compared', async () => {
  const order: string[] = [];
  const block = (name: string, units: number) => async () => {
    order.push(name);
    return { units: units + order.length, cpuSeconds: 2 };
  };
  const pairs = await pairedBlocks(block('A', 10), block('B', 20), 4);
  assert.equal(order.join(''), 'ABBAABBA');
  assert.deepEqual(pairs[1], { ours: { units: 14, cpuSeconds: 2 }, theirs: { units: 23, cpuSeconds: 2 } });
  assert.deepEqual(pairs.slice(0, 2).map(rateRatio), [11 / 22, 14 / 23]);
});
