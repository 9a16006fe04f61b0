import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  claim,
  claimed,
  type Election,
  isLeader,
  type LeaseRecord,
  observed,
  resignation,
} from '../../../controller/core/leader-election.ts';

const TIMINGS = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 4_000 };
const ME: Election = { identity: 'me', timings: TIMINGS };
const WALL = 1_700_000_000_000;

const record = (holder: string, parts: Partial<LeaseRecord> = {}): LeaseRecord => ({
  holder,
  durationSeconds: 15,
  acquiredAt: WALL - 60_000,
  renewedAt: WALL,
  transitions: 3,
  ...parts,
});

const at = (monotonic: number) => ({ monotonic, wall: WALL + 1 });

/** A leader since moment 0. */
function leader(): Election {
  const election = observed(ME, undefined, 0);
  const written = claim(election, at(0));
  assert(written);
  return claimed(election, written, 0);
}

test('claims a Lease that does not exist, without a transition', () => {
  assert.deepEqual(claim(observed(ME, undefined, 0), at(0)), {
    holder: 'me',
    durationSeconds: 15,
    acquiredAt: WALL + 1,
    renewedAt: WALL + 1,
    transitions: 0,
  });
});

for (const [what, holder, seconds, when, isClaimed] of [
  ['is held', 'other', 15, 14_999, false],
  ['has run out', 'other', 15, 15_000, true],
  ['was given up', '', 1, 0, true],
  ['is held for longer than ours would be', 'other', 60, 59_999, false],
] as const) {
  test(`${isClaimed ? 'claims' : 'leaves'} a Lease that ${what}`, () => {
    const election = observed(ME, record(holder, { durationSeconds: seconds }), 0);
    assert.equal(claim(election, at(when))?.transitions, isClaimed ? 4 : undefined);
  });
}

test('a record that changed is valid anew, one that was only seen again is not', () => {
  const seen = observed(ME, record('other'), 0);
  const again = observed(seen, record('other'), 14_000);
  assert.ok(claim(again, at(15_000)));
  const renewed = observed(seen, record('other', { renewedAt: WALL + 1 }), 14_000);
  assert.equal(claim(renewed, at(15_000)), undefined);
});

test('the times that a record shows are not believed', () => {
  for (const renewedAt of [0, WALL + 86_400_000]) {
    const election = observed(ME, record('other', { renewedAt }), 0);
    assert.equal(claim(election, at(14_999)), undefined);
    assert.ok(claim(election, at(15_000)));
  }
});

test('leads from its write on until the deadline after it', () => {
  const election = leader();
  assert.deepEqual(
    [0, 9_999, 10_000].map((now) => isLeader(election, now)),
    [true, true, false],
  );
});

test('renewing keeps the time it was acquired, and counts no transition', () => {
  const election = leader();
  const renewal = claim(election, { monotonic: 4_000, wall: WALL + 4_001 });
  assert.deepEqual([renewal?.acquiredAt, renewal?.renewedAt, renewal?.transitions], [WALL + 1, WALL + 4_001, 0]);
});

test('leads no more once another holds the Lease', () => {
  assert.equal(isLeader(observed(leader(), record('other'), 1_000), 1_000), false);
});

test('its own record read back renews nothing', () => {
  const election = observed(leader(), record('me'), 9_000);
  assert.deepEqual([isLeader(election, 9_999), isLeader(election, 10_000)], [true, false]);
});

test('a record of its own that it did not write makes no leader', () => {
  assert.equal(isLeader(observed(ME, record('me'), 0), 0), false);
});

test('only the holder gives up, and keeps the count of transitions', () => {
  assert.deepEqual(resignation(observed(ME, record('me'), 0), WALL), {
    holder: '',
    durationSeconds: 1,
    acquiredAt: WALL,
    renewedAt: WALL,
    transitions: 3,
  });
  assert.equal(resignation(observed(ME, record('other'), 0), WALL), undefined);
  assert.equal(resignation(ME, WALL), undefined);
});
