import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bootstrap95, median, percentile, slope } from './statistics.ts';

describe('statistics', () => {
  it('has the median of odd and even counts', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.throws(() => median([]), RangeError);
  });

  it('has percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => index + 1);
    assert.equal(percentile(values, 0.5), 50);
    assert.equal(percentile(values, 0.99), 99);
    assert.equal(percentile([7], 0.99), 7);
  });

  it('finds the slope of a line', () => {
    assert.equal(
      slope([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
      2,
    );
  });

  it('gives the same interval for the same samples, and it holds the statistic', () => {
    const samples = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const interval = bootstrap95(samples, median);
    assert.deepEqual(bootstrap95(samples, median), interval);
    assert.ok(interval[0] <= 5 && 5 <= interval[1]);
    assert.ok(interval[0] > 1 && interval[1] < 9);
  });
});
