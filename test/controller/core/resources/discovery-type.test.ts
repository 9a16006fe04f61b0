import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discoveryType } from '../../../../controller/core/resources/discovery-type.ts';

const cases: readonly (readonly [addresses: readonly string[], type: string])[] = [
  [['10.0.0.1'], 'STATIC'],
  [['fd00::1'], 'STATIC'],
  [['10.0.0.1', 'fd00::1'], 'STATIC'],
  [['controller.lazyscope'], 'STRICT_DNS'],
  [['localhost'], 'STRICT_DNS'],
  [['10.0.0.1', 'egress.lazyscope'], 'STRICT_DNS'],
];

for (const [addresses, type] of cases) {
  test(`${addresses.join(' and ')} are found by ${type}`, () => {
    assert.equal(discoveryType(addresses.map((address) => ({ address, port: 1 })))['type'], type);
  });
}
