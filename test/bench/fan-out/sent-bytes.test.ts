import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addedTraffic, sentBytes, sumOf } from './sent-bytes.ts';

const BEFORE = { messages: [10, 20, 30], resources: [1, 2, 3], control: [0, 0, 5] };
const AFTER = { messages: [110, 20, 37], resources: [91, 2, 9], control: [1, 2, 5] };

test('what a change sent is parted into that to users of the service and that to others', () => {
  assert.deepEqual(sentBytes(addedTraffic(BEFORE, AFTER), new Set([0])), {
    toUsers: 100,
    resources: 90,
    toOthers: 7,
    control: 3,
    users: 1,
    others: 2,
  });
});

test('changes add up', () => {
  const one = { toUsers: 1, resources: 2, toOthers: 3, control: 4, users: 5, others: 6 };
  const twice = { toUsers: 2, resources: 4, toOthers: 6, control: 8, users: 10, others: 12 };
  assert.deepEqual(sumOf([one, one]), twice);
});
