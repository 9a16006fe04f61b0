import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSlice } from '../../../../controller/core/model.ts';
import { SliceIndex } from '../../../../controller/core/registry/slice-index.ts';

function slice(name: string, service: string, endpoints = '10.0.0.1'): EndpointSlice {
  return { kind: 'EndpointSlice', namespace: 'shop', name, service, ports: [], endpoints };
}

function indexOf(...slices: readonly EndpointSlice[]): SliceIndex {
  const index = new SliceIndex();
  for (const one of slices) index.apply(one);
  return index;
}

describe("a Service's slices", () => {
  it('are those of its name, in the order in which they came', () => {
    const [second, first, other] = [slice('cart-b', 'cart'), slice('cart-a', 'cart'), slice('web-a', 'web')];
    const index = indexOf(second, first, other);
    assert.deepEqual(index.of('shop', 'cart'), [second, first]);
    assert.deepEqual(index.of('shop', 'web'), [other]);
    assert.deepEqual([index.of('bank', 'cart'), index.of('shop', 'none')], [[], []]);
  });

  it('keep their places when one changes', () => {
    const [first, second] = [slice('cart-a', 'cart'), slice('cart-b', 'cart')];
    const index = indexOf(first, second);
    const changed = slice('cart-a', 'cart', '10.0.0.2');
    assert.deepEqual(index.apply(changed), ['cart']);
    assert.deepEqual(index.of('shop', 'cart'), [changed, second]);
  });

  it('go one by one', () => {
    const [first, second] = [slice('cart-a', 'cart'), slice('cart-b', 'cart')];
    const index = indexOf(first, second);
    assert.equal(index.delete('shop', 'cart-a'), 'cart');
    assert.deepEqual(index.of('shop', 'cart'), [second]);
    assert.equal(index.delete('shop', 'cart-b'), 'cart');
    assert.deepEqual(index.of('shop', 'cart'), []);
    assert.equal(index.delete('shop', 'cart-b'), undefined);
  });

  it('lose one that moves to another Service, and both Services are told', () => {
    const stays = slice('cart-b', 'cart');
    const index = indexOf(slice('cart-a', 'cart'), stays);
    const moved = slice('cart-a', 'web');
    assert.deepEqual(index.apply(moved), ['cart', 'web']);
    assert.deepEqual([index.of('shop', 'cart'), index.of('shop', 'web')], [[stays], [moved]]);
  });
});
