import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BackOff, StreamBackOff } from '../../../controller/core/back-off.ts';

test('waits up to a bound that doubles until its limit, and starts anew after a success', () => {
  const backOff = new BackOff({ first: 500, longest: 3_000, random: () => 0.5 });
  const waits = Array.from({ length: 5 }, () => backOff.next());
  assert.deepEqual(waits, [250, 500, 1_000, 1_500, 1_500]);
  backOff.reset();
  assert.equal(backOff.next(), 250);
});

test('may wait not at all: clients that failed together do not come back together', () => {
  const backOff = new BackOff({ first: 500, longest: 3_000, random: () => 0 });
  assert.equal(backOff.next(), 0);
});

test('waits at least the share of its bound that it is given', () => {
  const backOff = new BackOff({ first: 500, longest: 3_000, least: 0.5, random: () => 0 });
  assert.deepEqual([backOff.next(), backOff.next()], [250, 500]);
});

test('a stream that lived for more than 10 s lets the waits start anew', () => {
  const backOff = new StreamBackOff(() => 0);
  assert.deepEqual([backOff.after(0), backOff.after(0), backOff.after(10_000)], [50, 100, 200]);
  assert.equal(backOff.after(10_001), 50);
});
