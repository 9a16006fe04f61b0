import assert from 'node:assert/strict';
import { test } from 'node:test';
import { socketAddressText } from '../../controller/core/socket-address.ts';
import { AddressSet, canonicalAddress, isCidr } from '../../egress/address.ts';

test('one address has one text', () => {
  const table: readonly [string, string][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[::1]', '::1'],
    ['not an address', 'not an address'],
    ['', ''],
  ];
  for (const [address, expected] of table) assert.equal(canonicalAddress(address), expected, address);
});

test('an address set holds what its CIDRs hold', () => {
  const set = new AddressSet(['10.0.0.0/8', 'fc00::/7']);
  for (const address of ['10.0.0.0', '10.255.255.255', 'fd00::1']) assert.equal(set.has(address), true, address);
  for (const address of ['11.0.0.0', '2001:db8::1', '']) assert.equal(set.has(address), false, address);
});

test('CIDRs are told from other texts', () => {
  for (const text of ['0.0.0.0/0', '10.1.2.3/32', '::/0', 'fe80::/128']) assert.equal(isCidr(text), true, text);
  for (const text of ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0/8', 'a/8', '10.0.0.0/-1', '']) {
    assert.equal(isCidr(text), false, text);
  }
});

test('IPv6 is bracketed before a port', () => {
  assert.equal(socketAddressText({ address: '10.0.0.1', port: 80 }), '10.0.0.1:80');
  assert.equal(socketAddressText({ address: '::1', port: 80 }), '[::1]:80');
});
