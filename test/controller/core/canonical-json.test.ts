import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../../../controller/core/canonical-json.ts';

const same: readonly (readonly [what: string, a: unknown, b: unknown, equal: boolean])[] = [
  [
    'the order of fields, at any depth',
    { a: { b: 1, c: [{ d: 2, e: 3 }] } },
    { a: { c: [{ e: 3, d: 2 }], b: 1 } },
    true,
  ],
  ['fields that are undefined', { a: 1, b: undefined }, { a: 1 }, true],
  ['the order of list items', [1, 2], [2, 1], false],
  ['null and absence', { a: null }, {}, false],
  ['numbers and their text', { a: 1 }, { a: '1' }, false],
];

for (const [what, a, b, equal] of same) {
  test(`${what} ${equal ? 'make no difference' : 'differ'}`, () => {
    assert.equal(canonicalJson(a) === canonicalJson(b), equal);
  });
}

test('any JSON reads back as it was, and is stable', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      // JSON has no negative zero.
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
  );
});
