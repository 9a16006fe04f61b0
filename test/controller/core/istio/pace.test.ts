import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterWrite, nextWriteAt, type Pace } from '../../../../controller/core/istio/pace.ts';

/** When each write takes place if news comes at these times, and each write at the earliest. */
function writes(...news: readonly number[]): number[] {
  let pace: Pace | undefined;
  return news.map((newsAt) => {
    const at = nextWriteAt(pace, newsAt);
    pace = afterWrite(pace, at);
    return at;
  });
}

/** Times between one write and the next. */
function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((at, index) => at - (times[index] ?? 0));
}

test('the first write of a burst follows its news by 50 ms', () => {
  assert.deepEqual(writes(1_000), [1_050]);
});

test('under steady news the next ones follow after 1.2, 3, 6 and then every 12 s', () => {
  const steady = writes(...Array.from({ length: 8 }, () => 0));
  assert.deepEqual(gaps(steady), [1_200, 3_000, 6_000, 12_000, 12_000, 12_000, 12_000]);
});

test('news that comes after the gap waits 50 ms', () => {
  assert.deepEqual(writes(0, 5_000, 30_000), [50, 5_050, 30_050]);
});

for (const [quiet, at] of [
  [59_999, 12_000],
  [60_000, 60_050],
  [3_600_000, 3_600_050],
] as const) {
  test(`after ${quiet} ms without a write a burst is ${quiet < 60_000 ? 'not ' : ''}over`, () => {
    const pace: Pace = { writes: 7, lastAt: 0 };
    assert.equal(nextWriteAt(pace, quiet), Math.max(at, quiet + 50));
    assert.deepEqual(afterWrite(pace, quiet), { writes: quiet < 60_000 ? 8 : 1, lastAt: quiet });
  });
}

test('100 workloads that learn for 5 s are written at most 4 times each', () => {
  let pace: Pace | undefined;
  let count = 0;
  for (let newsAt = 0; newsAt < 5_000; newsAt += 100) {
    if (pace && newsAt < pace.lastAt) continue;
    pace = afterWrite(pace, nextWriteAt(pace, newsAt));
    count += 1;
  }
  assert.ok(count <= 4, `${count} writes`);
});
