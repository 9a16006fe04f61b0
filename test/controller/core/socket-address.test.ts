import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSocketAddress, socketAddressText } from '../../../controller/core/socket-address.ts';

describe('a socket address', () => {
  const good = [
    ['10.0.0.1:80', { address: '10.0.0.1', port: 80 }],
    ['controller.lazyscope:15010', { address: 'controller.lazyscope', port: 15010 }],
    ['[fd00::1]:0', { address: 'fd00::1', port: 0 }],
  ] as const;
  for (const [text, address] of good) {
    it(`is read from ${text} and written the same`, () => {
      assert.deepEqual(readSocketAddress(text), address);
      assert.equal(socketAddressText(address), text);
    });
  }

  for (const text of [
    '',
    '80',
    ':80',
    'a',
    'a:',
    'a:x',
    'a:65536',
    'fd00::1:80',
    '[fd00::1]',
    'a b:80',
    'a:1,b:2',
    '10.0.0:80',
    '10.0.0.256:80',
    '1.2.3.4.5:80',
  ]) {
    it(`is not "${text}"`, () => assert.equal(readSocketAddress(text), undefined));
  }
});
