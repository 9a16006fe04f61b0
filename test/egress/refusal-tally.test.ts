import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalTally } from '../../egress/refusal-tally.ts';

test('counts by source what hurts sidecars, and nothing else', () => {
  const tally = new RefusalTally();
  tally.add('MaxConnections', '10.0.0.1');
  tally.add('HeaderTimeout', '10.0.0.1');
  tally.add('ClosedBeforeHeader', '10.0.0.1');
  tally.add('MaxConnections', '');
  assert.deepEqual([...tally.take()], [['10.0.0.1', 2]]);
  assert.deepEqual([...tally.take()], []);
  assert.equal(tally.untold, 0);
});

test('tells 10,000 sources apart at a time; refusals of others are counted', () => {
  const tally = new RefusalTally();
  for (let source = 0; source < 10_003; source += 1) tally.add('MaxConnections', `10.0.${source >> 8}.${source & 255}`);
  tally.add('MaxConnections', '10.0.0.0');
  assert.equal(tally.untold, 3);
  const told = tally.take();
  assert.deepEqual([told.size, told.get('10.0.0.0')], [10_000, 2]);
  tally.add('MaxConnections', '10.1.0.0');
  assert.equal(tally.untold, 3, 'what was told made room');
});
