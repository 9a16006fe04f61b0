import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EgressHealth } from '../../../../controller/core/istio/egress-health.ts';

const old = (health: EgressHealth, now: number): string => health.refusal(now, false)?.reason ?? 'lazy';
const isNew = (health: EgressHealth, now: number): string => health.refusal(now, true)?.reason ?? 'lazy';

function readySince(at: number): EgressHealth {
  const health = new EgressHealth(at);
  health.ready(true, at);
  return health;
}

describe('without a ready egress', () => {
  it('who is lazy stays so for 30 s, and nobody becomes lazy', () => {
    const health = new EgressHealth(0);
    assert.deepEqual([old(health, 29_999), isNew(health, 0), health.nextAt], ['lazy', 'EgressDown', 30_000]);
    assert.equal(old(health, 30_000), 'EgressDown');
    assert.equal(health.nextAt, Number.POSITIVE_INFINITY);
  });

  it('the 30 s begin when it was last ready', () => {
    const health = readySince(0);
    assert.equal(health.nextAt, Number.POSITIVE_INFINITY);
    health.ready(false, 100_000);
    health.ready(false, 120_000);
    assert.deepEqual([old(health, 129_999), old(health, 130_000)], ['lazy', 'EgressDown']);
  });

  it('one that is away for less is no reason', () => {
    const health = readySince(0);
    for (let at = 100_000; at < 400_000; at += 40_000) {
      health.ready(false, at);
      assert.equal(old(health, at + 29_000), 'lazy');
      health.ready(true, at + 29_000);
    }
    assert.equal(isNew(health, 400_000), 'lazy');
  });

  it('one that came back must stay for 10 s', () => {
    const health = new EgressHealth(0);
    assert.equal(old(health, 30_000), 'EgressDown');
    health.ready(true, 40_000);
    assert.deepEqual([old(health, 49_999), health.nextAt], ['EgressDown', 50_000]);
    health.ready(false, 49_999);
    assert.equal(old(health, 60_000), 'EgressDown');
    health.ready(true, 60_000);
    assert.deepEqual([old(health, 70_000), isNew(health, 70_000)], ['lazy', 'lazy']);
  });

  it('the reason says where to look', () => {
    assert.match(new EgressHealth(0).refusal(30_000, false)?.message ?? '', /pods of lazyscope-egress/);
  });
});

describe('an egress that refuses callers', () => {
  it('is too much of it at 300 within 30 s', () => {
    const health = readySince(0);
    health.refused(299, 1_000);
    assert.equal(old(health, 1_000), 'lazy');
    health.refused(1, 30_999);
    assert.equal(old(health, 30_999), 'EgressRefuses');
  });

  it('may refuse 299 in any 30 s', () => {
    const health = readySince(0);
    for (let at = 1_000; at < 600_000; at += 30_000) health.refused(299, at);
    assert.equal(old(health, 600_000), 'lazy');
  });

  it('is tried again after 10 minutes', () => {
    const health = readySince(0);
    health.refused(1_000, 1_000);
    assert.equal(health.nextAt, 601_000);
    assert.deepEqual([isNew(health, 600_999), isNew(health, 601_000)], ['EgressRefuses', 'lazy']);
    assert.equal(health.nextAt, Number.POSITIVE_INFINITY);
  });

  it('the reason names the metric and what to do', () => {
    const health = readySince(0);
    health.refused(300, 0);
    assert.match(
      health.refusal(0, false)?.message ?? '',
      /300 connections within 30 s: see lazyscope_egress_refused_total .*add replicas/,
    );
  });
});
