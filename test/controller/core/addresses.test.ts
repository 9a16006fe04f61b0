import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf, asAddresses } from '../../../controller/core/addresses.ts';

const LISTS: readonly (readonly string[])[] = [[], ['10.0.0.1'], ['10.0.0.1', 'fd00::1']];

for (const list of LISTS) {
  test(`${list.length} addresses come back as they were given`, () => {
    assert.deepEqual(addressesOf(asAddresses(list)), list);
  });
}

test('one address alone is no list', () => {
  assert.equal(asAddresses(['10.0.0.1']), '10.0.0.1');
});
