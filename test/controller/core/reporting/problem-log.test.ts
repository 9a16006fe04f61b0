import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Problem } from '../../../../controller/core/ports.ts';
import { ProblemLog } from '../../../../controller/core/reporting/problem-log.ts';

describe('ProblemLog', () => {
  it('tells a problem once, counts every time, and moves it to the newest', () => {
    const told: Problem[] = [];
    const log = new ProblemLog((problem) => told.push(problem));
    log.add({ subject: 'a', reason: 'broken' }, 1);
    log.add({ subject: 'b', reason: 'broken' }, 2);
    log.add({ subject: 'a', reason: 'broken' }, 3);
    assert.equal(told.length, 2);
    assert.equal(log.total, 3);
    assert.deepEqual(
      log.newest().map(({ subject, at }) => [subject, at]),
      [
        ['b', '1970-01-01T00:00:00.002Z'],
        ['a', '1970-01-01T00:00:00.003Z'],
      ],
    );
  });

  it('keeps the newest hundred', () => {
    const log = new ProblemLog(() => undefined);
    for (let number = 0; number < 150; number += 1) log.add({ subject: `s${number}`, reason: 'broken' }, number);
    assert.equal(log.newest().length, 100);
    assert.equal(log.newest()[0]?.subject, 's50');
    assert.equal(log.total, 150);
  });
});
