import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeastRecentlyUsed } from '../../../../controller/core/snapshot/least-recently-used.ts';

/** A cache of texts up to 6 characters, and what it had made when. */
function cacheOfSix() {
  const cache = new LeastRecentlyUsed<string>(6, (text) => text.length);
  const made: string[] = [];
  const get = (key: string) =>
    cache.get(key, () => {
      made.push(key);
      return key.repeat(2);
    });
  return { get, made };
}

test('a value is made once', () => {
  const { get, made } = cacheOfSix();
  assert.equal(get('a'), 'aa');
  assert.equal(get('a'), 'aa');
  assert.deepEqual(made, ['a']);
});

test('what was used longest ago goes first when the sizes exceed the limit', () => {
  const { get, made } = cacheOfSix();
  for (const key of ['a', 'b', 'c', 'a', 'd', 'a', 'b']) get(key);
  assert.deepEqual(made, ['a', 'b', 'c', 'd', 'b']);
});

test('a value larger than the limit is made and not kept', () => {
  const cache = new LeastRecentlyUsed<string>(1, (text) => text.length);
  let made = 0;
  const make = () => {
    made += 1;
    return 'large';
  };
  assert.equal(cache.get('a', make), 'large');
  assert.equal(cache.get('a', make), 'large');
  assert.equal(made, 2);
});
