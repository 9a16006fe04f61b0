import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ArrivalRounds,
  arrived,
  begin,
  isShown,
  join,
  lost,
  NO_ROUNDS,
  shown,
  wantsMark,
} from '../../../../controller/core/arrival/arrival-rounds.ts';

/** Who is released when these happen: `a` joins, `1 x y` begins mark 1 at istiods x and y, `x:1` shows it, `end`, `lost`. */
function released(...events: readonly string[]): string[] {
  let rounds: ArrivalRounds<string> = NO_ROUNDS;
  const all: string[] = [];
  for (const event of events) {
    const [first = '', ...istiods] = event.split(' ');
    if (event === 'end' || event === 'lost') {
      const ended: { readonly rounds: ArrivalRounds<string>; readonly released: readonly string[] } =
        event === 'end' ? arrived(rounds) : lost(rounds);
      rounds = ended.rounds;
      all.push(...ended.released.map((waiter) => `${event}:${waiter}`));
    } else if (/^\d/.test(first)) rounds = begin(rounds, Number(first), istiods);
    else if (first.includes(':')) rounds = shown(rounds, first.split(':')[0] ?? '', Number(first.split(':')[1]));
    else rounds = join(rounds, first);
  }
  return all;
}

const CASES: Record<string, { readonly events: readonly string[]; readonly released: readonly string[] }> = {
  'one mark releases nobody': { events: ['a', '1 x', 'x:1', 'end'], released: [] },
  'two marks release': { events: ['a', '1 x', 'x:1', 'end', '2 x', 'x:2', 'end'], released: ['end:a'] },
  'calls before a mark share it': {
    events: ['a', 'b', '1 x', 'x:1', 'end', '2 x', 'x:2', 'end'],
    released: ['end:a', 'end:b'],
  },
  'the mark in flight does not count for who comes later': {
    events: ['a', '1 x', 'b', 'x:1', 'end', '2 x', 'x:2', 'end', '3 x', 'x:3', 'end'],
    released: ['end:a', 'end:b'],
  },
  'a lost mark releases those who waited for it as lost, and no others': {
    events: ['a', '1 x', 'b', 'lost', '2 x', 'x:2', 'end', '3 x', 'x:3', 'end'],
    released: ['lost:a', 'end:b'],
  },
  'a lost second mark is lost too': { events: ['a', '1 x', 'x:1', 'end', '2 x', 'lost'], released: ['lost:a'] },
};

for (const [title, { events, released: expected }] of Object.entries(CASES)) {
  test(title, () => assert.deepEqual(released(...events), expected));
}

test('a mark is shown when every awaited istiod has shown just this one', () => {
  let rounds = begin(join<string>(NO_ROUNDS, 'a'), 7, ['x', 'y']);
  for (const [istiod, mark] of [
    ['x', 7],
    ['x', 7],
    ['y', 6],
    ['z', 7],
  ] as const) {
    rounds = shown(rounds, istiod, mark);
    assert.equal(isShown(rounds), false, `${istiod} ${mark}`);
  }
  assert.equal(isShown(shown(rounds, 'y', 7)), true);
});

test('a mark is wanted only when somebody waits and none is in flight', () => {
  assert.equal(wantsMark(NO_ROUNDS), false);
  const joined = join<string>(NO_ROUNDS, 'a');
  assert.equal(wantsMark(joined), true);
  const begun = begin(joined, 1, ['x']);
  assert.equal(wantsMark(begun), false);
  assert.equal(wantsMark(join(begun, 'b')), false);
  assert.equal(wantsMark(arrived(begun).rounds), true);
  assert.equal(wantsMark(lost(begun).rounds), false);
  assert.equal(isShown(NO_ROUNDS), false);
});
