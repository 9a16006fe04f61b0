import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Admission, type LimitOptions, Limits } from '../../egress/limits.ts';

function limits(options: Partial<LimitOptions>): Limits {
  return new Limits({ maxConnections: 10, maxConnectionsPerSource: 10, maxHalfOpenPerSource: 10, ...options });
}

function admitted(result: Admission | string): Admission {
  assert.notEqual(typeof result, 'string');
  return result as Admission;
}

test('each limit is reached by itself', () => {
  const table = [
    { option: 'maxConnections', refusal: 'MaxConnections', other: 'MaxConnections' },
    { option: 'maxConnectionsPerSource', refusal: 'MaxConnectionsPerSource', other: undefined },
    { option: 'maxHalfOpenPerSource', refusal: 'MaxHalfOpenPerSource', other: undefined },
  ] as const;
  for (const { option, refusal, other } of table) {
    const counted = limits({ [option]: 2 });
    admitted(counted.admit('10.0.0.1'));
    admitted(counted.admit('10.0.0.1'));
    assert.equal(counted.admit('10.0.0.1'), refusal);
    const elsewhere = counted.admit('10.0.0.2');
    assert.equal(typeof elsewhere === 'string' ? elsewhere : undefined, other, `${option} of another source`);
  }
});

test('an established connection is half-open no more', () => {
  const counted = limits({ maxHalfOpenPerSource: 1 });
  admitted(counted.admit('10.0.0.1')).established();
  admitted(counted.admit('10.0.0.1'));
  assert.equal(counted.admit('10.0.0.1'), 'MaxHalfOpenPerSource');
});

test('what ends makes room, once', () => {
  const counted = limits({ maxConnections: 2 });
  const first = admitted(counted.admit('10.0.0.1'));
  admitted(counted.admit('10.0.0.1'));
  first.release();
  first.release();
  assert.equal(counted.open, 1);
  admitted(counted.admit('10.0.0.1'));
  assert.equal(counted.admit('10.0.0.1'), 'MaxConnections');
});
