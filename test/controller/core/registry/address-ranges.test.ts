import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressRanges } from '../../../../controller/core/registry/address-ranges.ts';

const CASES: readonly (readonly [address: string, ranges: readonly string[], around: readonly string[]])[] = [
  ['10.1.2.3', ['10.0.0.0/8', '10.1.0.0/16', '10.2.0.0/16'], ['10.1.0.0/16', '10.0.0.0/8']],
  ['10.1.2.3', ['10.1.2.3/31', '0.0.0.0/0'], ['10.1.2.3/31', '0.0.0.0/0']],
  ['10.1.2.4', ['10.1.2.3/31'], []],
  ['128.0.0.1', ['0.0.0.0/1'], []],
  ['255.255.255.255', ['240.0.0.0/4', '255.255.0.0/16'], ['255.255.0.0/16', '240.0.0.0/4']],
  ['fd00::1', ['fd00::/8', '::/0', '0.0.0.0/0'], ['fd00::/8', '::/0']],
  ['fd00:0:0:1::9', ['fd00:0:0:1::/64', 'fd00::/64'], ['fd00:0:0:1::/64']],
  ['1:2:3:4:5:6:7:8', ['1:2:3:4:5:6:7:0/112'], ['1:2:3:4:5:6:7:0/112']],
  ['::1', ['::/127'], ['::/127']],
  ['name', ['0.0.0.0/0', '::/0'], []],
  ['10.1.2.3', ['10.0.0.0/x', '10.0.0.0', '10.0.0/8', '10.0.0.0/33', '10.0.0.256/8'], []],
];

describe('blocks around an address', () => {
  for (const [address, ranges, around] of CASES) {
    it(`${address} lies in ${around.join(', ') || 'none'} of ${ranges.join(', ')}`, () => {
      const table = new AddressRanges<string>();
      for (const range of ranges) table.add(range, range);
      assert.deepEqual(table.around(address), around);
    });
  }

  it('are those that were not deleted', () => {
    const table = new AddressRanges<string>();
    table.add('10.0.0.0/8', 'a');
    table.add('10.0.0.0/8', 'b');
    table.delete('10.0.0.0/8', 'a');
    table.delete('11.0.0.0/8', 'b');
    table.delete('x', 'b');
    assert.deepEqual(table.around('10.0.0.1'), ['b']);
    table.delete('10.0.0.0/8', 'b');
    assert.deepEqual(table.around('10.0.0.1'), []);
  });
});
