import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type PublishedScope,
  PublishedWorkload,
  publishedScope,
} from '../../../../controller/core/istio/published-workload.ts';
import { EGRESS, FRONT, keyOf } from './istio-world.ts';

const scope = (spec: string, ...routed: string[]): PublishedScope => ({
  spec,
  routed: new Set(routed),
  warm: new Set(),
});
const [A, B, C] = [scope('a', 'a'), scope('b', 'b'), scope('c', 'c')];
const DELAY = 12_000;

/** One that was written at 1,000. */
function written(before: PublishedScope | undefined, after: PublishedScope | undefined): PublishedWorkload {
  const workload = new PublishedWorkload(0);
  workload.observed(before, 0);
  workload.written(after, 1_000);
  return workload;
}

describe('what the watch tells after our write', () => {
  it('is what we wrote: no news', () => {
    const workload = written(A, B);
    assert.equal(workload.observed(B, 1_100), false);
    assert.deepEqual([workload.published, workload.reconsidersAt], [B, undefined]);
  });

  it('may be what was there before: it is late', () => {
    const workload = written(A, B);
    assert.equal(workload.observed(A, 1_100), false);
    assert.deepEqual([workload.published, workload.reconsidersAt], [B, 31_000]);
    assert.equal(workload.observed(B, 29_000), false);
    assert.equal(workload.reconsidersAt, undefined);
  });

  it('is believed after 30 s if it still differs', () => {
    const workload = written(A, B);
    workload.observed(C, 2_000);
    workload.reconsider(30_999);
    assert.equal(workload.published, B);
    workload.reconsider(31_000);
    assert.equal(workload.published, C);
    assert.equal(workload.hasArrived(31_000 + DELAY - 1, DELAY), false);
    assert.equal(workload.hasArrived(31_000 + DELAY, DELAY), true);
  });

  it('may be of an older write that said the same', () => {
    const workload = written(A, B);
    workload.written(A, 2_000);
    workload.written(B, 3_000);
    assert.deepEqual(
      [B, A, B].map((told) => workload.observed(told, 4_000)),
      [false, false, false],
    );
    assert.equal(workload.published, B);
    assert.equal(workload.observed(A, 5_000), true);
  });

  it('may come once more, as when only its labels changed: that stands for no later write that says the same', () => {
    const workload = written(undefined, A);
    workload.written(B, 2_000);
    workload.written(A, 3_000);
    assert.deepEqual(
      [A, A, B, A].map((told) => workload.observed(told, 4_000)),
      [false, false, false, false],
    );
    assert.deepEqual([workload.published, workload.reconsidersAt], [A, undefined]);
  });

  it('may leave out states in between', () => {
    const workload = written(A, B);
    workload.written(C, 2_000);
    assert.equal(workload.observed(C, 3_000), false);
    assert.equal(workload.observed(B, 4_000), true);
  });

  it('is a change by somebody else once ours was told', () => {
    const workload = written(A, B);
    workload.observed(B, 1_100);
    assert.equal(workload.observed(C, 1_200), true);
    assert.equal(workload.published, C);
  });

  it('is a change by somebody else at once where ours was told before the answer came', () => {
    const workload = new PublishedWorkload(0);
    workload.observed(A, 0);
    workload.observed(B, 900);
    workload.written(B, 1_000);
    assert.equal(workload.observed(C, 1_200), true);
    assert.equal(workload.published, C);
  });

  it('may be that somebody deleted it', () => {
    const workload = written(A, B);
    workload.observed(B, 1_100);
    assert.equal(workload.observed(undefined, 5_000), true);
    assert.equal(workload.published, undefined);
  });

  it('may be that it is gone, as we wanted', () => {
    const workload = written(A, undefined);
    assert.equal(workload.observed(undefined, 1_100), false);
    assert.equal(workload.published, undefined);
    assert.equal(workload.observed(A, 1_200), true);
  });
});

describe('a write has arrived', () => {
  it('when everything has that the API server had at that time, or later', () => {
    for (const [asOf, arrived] of [
      [999, false],
      [1_000, true],
      [7_000, true],
    ] as const) {
      const workload = written(A, B);
      workload.arrived(asOf);
      assert.equal(workload.hasArrived(7_001, DELAY), arrived, `as of ${asOf}`);
    }
  });

  it('after the delay, whatever a probe says', () => {
    const workload = written(A, B);
    assert.deepEqual(
      [12_999, 13_000].map((now) => workload.hasArrived(now, DELAY)),
      [false, true],
    );
    assert.equal(workload.arrivesAt(DELAY), 13_000);
  });

  it('not because the one before it has', () => {
    const workload = written(A, B);
    workload.arrived(1_000);
    workload.written(C, 2_000);
    workload.arrived(1_999);
    assert.equal(workload.hasArrived(2_001, DELAY), false);
  });

  it('after the delay where somebody else made it, or when that has arrived', () => {
    const workload = written(A, B);
    workload.observed(B, 1_100);
    workload.observed(C, 2_000);
    workload.arrived(1_999);
    assert.deepEqual(
      [13_999, 14_000].map((now) => workload.hasArrived(now, DELAY)),
      [false, true],
    );
  });

  it('after the delay where an earlier controller wrote it: when that was is not known', () => {
    const workload = new PublishedWorkload(5_000);
    workload.observed(A, 5_000);
    workload.arrived(4_999);
    assert.deepEqual(
      [16_999, 17_000].map((now) => workload.hasArrived(now, DELAY)),
      [false, true],
    );
  });
});

describe('it may be written again', () => {
  it('at its pace, and at once where it is urgent', () => {
    const workload = written(A, B);
    workload.news(1_100);
    assert.deepEqual([workload.mayWriteAt(false), workload.mayWriteAt(true)], [2_200, 1_100]);
  });

  it('without regard to the two writes that made it lazy', () => {
    const warm = { ...scope('w'), warm: new Set(['*/*']) };
    const workload = written(undefined, warm);
    workload.written(scope('n'), 13_000);
    workload.news(13_100);
    assert.equal(workload.mayWriteAt(false), 13_150);
  });

  it('so too where the watch told the second of them before its answer came', () => {
    const [warm, narrow] = [{ ...scope('w'), warm: new Set(['*/*']) }, scope('n')];
    const workload = written(undefined, warm);
    workload.observed(warm, 1_100);
    workload.observed(narrow, 12_900);
    workload.written(narrow, 13_000);
    workload.news(13_100);
    assert.equal(workload.mayWriteAt(false), 13_150);
  });

  it('after 5, 10, 20 ... 300 s where it failed, urgent or not', () => {
    const workload = written(A, B);
    const waits = Array.from({ length: 8 }, (_, tries) => {
      const at = 1_000_000 * (tries + 1);
      workload.failed(at);
      return [workload.mayWriteAt(true) - at, workload.mayWriteAt(false) - at];
    });
    const seconds = [5, 10, 20, 40, 80, 160, 300, 300];
    assert.deepEqual(
      waits,
      seconds.map((wait) => [wait * 1_000, wait * 1_000]),
    );
    workload.written(B, 9_000_000);
    workload.news(9_000_000);
    assert.ok(workload.mayWriteAt(true) <= 9_000_000);
  });
});

describe('what a Sidecar says', () => {
  it('is without what every lazy sidecar holds', () => {
    const managed = { workload: FRONT, routed: [EGRESS, keyOf('cart')], warm: [keyOf('pay')], spec: '{}' };
    assert.deepEqual(publishedScope(managed, new Set([EGRESS])), {
      routed: new Set([keyOf('cart')]),
      warm: new Set([keyOf('pay')]),
      spec: '{}',
    });
  });
});
