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

  it('tells no repetition of very many problems that come in turns', () => {
    const told: Problem[] = [];
    const log = new ProblemLog((problem) => told.push(problem));
    const minutes = 5;
    for (let minute = 0; minute < minutes; minute += 1) {
      for (let number = 0; number < 100; number += 1) {
        log.add({ subject: `s${minute}-${number}`, reason: 'broken' }, minute * 60_000);
      }
    }
    for (let minute = 0; minute < minutes; minute += 1) {
      for (let number = 0; number < 100; number += 1) {
        log.add({ subject: `s${minute}-${number}`, reason: 'broken' }, minutes * 60_000);
      }
    }
    assert.equal(told.length, 500);
    assert.equal(log.untold, 0);
    assert.equal(log.total, 1_000);
  });

  it('tells a hundred new ones a minute, and then how many more there were', () => {
    const told: Problem[] = [];
    const log = new ProblemLog((problem) => told.push(problem));
    for (let number = 0; number < 150; number += 1) log.add({ subject: `s${number}`, reason: 'broken' }, 59_999);
    assert.equal(told.length, 100);
    assert.equal(log.untold, 50);
    assert.equal(log.newest()[99]?.subject, 's149', 'the API names those that were not told');
    log.add({ subject: 'later', reason: 'broken' }, 59_999 + 60_000);
    assert.deepEqual(
      told.slice(100).map(({ subject }) => subject),
      ['problems', 'later'],
    );
    assert.match(told[100]?.reason ?? '', /^50 more were not logged/);
  });

  it('keeps the beginning of long texts', () => {
    const told: Problem[] = [];
    const log = new ProblemLog((problem) => told.push(problem));
    log.add({ subject: 's'.repeat(1_000_000), reason: 'r'.repeat(1_000_000) }, 0);
    const [problem] = log.newest();
    assert.deepEqual([problem?.subject, problem?.reason], ['s'.repeat(300), 'r'.repeat(1_000)]);
    assert.deepEqual(told, [{ subject: problem?.subject, reason: problem?.reason }]);
  });
});
