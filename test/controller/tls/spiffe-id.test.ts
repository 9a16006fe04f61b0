import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spiffeIdOf, spiffeUri } from '../../../controller/tls/spiffe-id.ts';

const CART = 'spiffe://cluster.local/ns/shop/sa/cart';

const TABLE: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ['one URI', `URI:${CART}`, CART],
  ['a URI beside names', `DNS:cart.shop, URI:${CART}, IP Address:10.0.0.1`, CART],
  [
    'a trust domain with a path of dots',
    'URI:spiffe://td.example-1.com/ns/a/sa/b.c',
    'spiffe://td.example-1.com/ns/a/sa/b.c',
  ],
  ['no name at all', undefined, undefined],
  ['no URI', 'DNS:cart.shop', undefined],
  ['two URIs', `URI:${CART}, URI:spiffe://cluster.local/ns/shop/sa/admin`, undefined],
  ['a quoted entry, as a separator in it is printed', `DNS:"x, URI:${CART}"`, undefined],
  ['another scheme', 'URI:https://cluster.local/ns/shop/sa/cart', undefined],
  ['a path that is not of Istio', 'URI:spiffe://cluster.local/workload/cart', undefined],
  ['a longer path', `URI:${CART}/x`, undefined],
  ['an upper case trust domain', 'URI:spiffe://Cluster.local/ns/shop/sa/cart', undefined],
];

for (const [what, subjectAltName, expected] of TABLE) {
  test(`a certificate with ${what} is ${expected ?? 'nobody'}`, () => {
    assert.equal(spiffeIdOf(subjectAltName)?.uri, expected);
  });
}

test('an identity is trust domain and workload, and is written as it is read', () => {
  assert.deepEqual(spiffeIdOf(`URI:${CART}`), { uri: CART, trustDomain: 'cluster.local', workload: 'ns/shop/sa/cart' });
  assert.equal(spiffeUri('cluster.local', 'shop', 'cart'), CART);
});
