import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress } from '../../../../controller/wire/kubernetes/address.ts';

const CASES: readonly (readonly [string, string | undefined])[] = [
  ['10.0.0.1', '10.0.0.1'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['fd00::0:1', 'fd00::1'],
  ['::', '::'],
  ['::1', '::1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['::FFFF:0a00:0001', '10.0.0.1'],
  ['fe80::1%eth0', undefined],
  ['010.0.0.1', undefined],
  ['10.0.0', undefined],
  ['10.0.0.0/8', undefined],
  ['None', undefined],
  ['', undefined],
];

for (const [text, expected] of CASES) {
  test(`the canonical form of "${text}" is ${expected ?? 'none'}`, () => {
    assert.equal(canonicalAddress(text), expected);
  });
}

test('a canonical address is an address and its own canonical form', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      const canonical = canonicalAddress(text) ?? '';
      assert.notEqual(isIP(canonical), 0);
      assert.equal(canonicalAddress(canonical), canonical);
    }),
  );
});
