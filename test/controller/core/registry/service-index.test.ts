import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceIndex, serviceKey } from '../../../../controller/core/registry/service-index.ts';
import { service, slice } from '../../../support/mesh-objects.ts';

const cart = service('cart', { 80: 'HTTP', 9000: 'TCP' }, { clusterIP: '10.96.0.1' });
const db = service('db', { 5432: 'TCP' });

function indexOf(...services: readonly ReturnType<typeof service>[]): ServiceIndex {
  const index = new ServiceIndex();
  for (const one of services) index.apply(one);
  return index;
}

describe('byHost', () => {
  const index = indexOf(cart, db);
  const cases: readonly (readonly [host: string, namespace: string, name: string | undefined])[] = [
    ['cart.shop.svc.cluster.local', 'other', 'cart'],
    ['cart.shop.svc.cluster.local.', 'other', 'cart'],
    ['CART.Shop.SVC.cluster.local', 'other', 'cart'],
    ['cart.shop.svc', 'other', 'cart'],
    ['cart.shop', 'other', 'cart'],
    ['cart', 'shop', 'cart'],
    ['cart', 'other', undefined],
    ['cart.shop.svc.other.domain', 'shop', undefined],
    ['cart.shop.com', 'shop', undefined],
    ['www.cart.shop', 'shop', undefined],
    ['db-0.db.shop.svc.cluster.local', 'other', 'db'],
    ['db-0.db', 'shop', 'db'],
    ['', 'shop', undefined],
  ];
  for (const [host, namespace, name] of cases) {
    it(`takes "${host}" from ${namespace} for ${name ?? 'nothing'}`, () => {
      assert.equal(index.byHost(host, namespace)?.name, name);
    });
  }
});

describe('endpoints', () => {
  it('are joined by port name, sorted, and the same array until they change', () => {
    const index = indexOf(cart);
    index.applySlice(slice(cart, ['10.0.0.2', '10.0.0.1']));
    const key = serviceKey(cart);
    const before = index.endpoints(key, 80);
    assert.deepEqual(
      before.map(({ address, port }) => `${address}:${port}`),
      ['10.0.0.1:80', '10.0.0.2:80'],
    );
    assert.equal(index.endpoints(key, 80), before);
    index.applySlice(slice(cart, ['10.0.0.1'], { ready: false }));
    assert.deepEqual(index.endpoints(key, 80), [{ address: '10.0.0.1', port: 80, ready: false }]);
  });

  it('may be told before their Service', () => {
    const index = new ServiceIndex();
    index.applySlice(slice(cart, ['10.0.0.1']));
    index.apply(cart);
    assert.equal(index.endpoints(serviceKey(cart), 80).length, 1);
  });

  it('go with their slice, also one that moves to another Service', () => {
    const index = indexOf(cart, db);
    index.applySlice(slice(cart, ['10.0.0.1']));
    assert.deepEqual(index.applySlice({ ...slice(db, ['10.0.0.9']), name: 'cart-1' }), ['cart', 'db']);
    assert.deepEqual(index.endpoints(serviceKey(cart), 80), []);
    assert.equal(index.endpoints(serviceKey(db), 5432).length, 1);
    assert.equal(index.deleteSlice('shop', 'cart-1'), 'db');
    assert.deepEqual(index.endpoints(serviceKey(db), 5432), []);
  });
});

it('finds headless services by the endpoints that they have now', () => {
  const index = indexOf(db);
  index.applySlice(slice(db, ['10.0.0.1']));
  assert.equal(index.headlessByEndpoint('10.0.0.1', 5432)?.name, 'db');
  assert.equal(index.headlessByEndpoint('10.0.0.1', 80), undefined);
  index.applySlice(slice(db, ['10.0.0.2']));
  assert.equal(index.headlessByEndpoint('10.0.0.1', 5432), undefined);
});

it('keeps a port that was HTTP once', () => {
  const index = indexOf(cart);
  index.delete('shop', 'cart');
  assert.deepEqual([...index.httpPorts], [80]);
});

it('lets a ClusterIP go with its last owner only', () => {
  const index = indexOf(cart);
  const heir = service('heir', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' });
  index.apply(heir);
  index.delete('shop', 'cart');
  assert.equal(index.byClusterIP('10.96.0.1')?.name, 'heir');
});
