import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leadsTo } from '../../../controller/cli/service-name.ts';
import { edges } from '../http/shop.ts';

const [template] = edges;
assert.ok(template);

const cart = { ...template, from: 'shop/Deployment/checkout', to: 'shop/cart.shop.svc.cluster.local', port: 80 };
const external = { ...cart, to: 'bank/api.example.com', port: 443 };
const address = { ...cart, to: '10.0.7.9:8080 (intranet.example.com)', port: 8080 };
const address6 = { ...cart, to: '[fd00::9]:8080', port: 8080 };

const cases = [
  ['cart', cart, true],
  ['cart.shop', cart, true],
  ['CART.shop', cart, true],
  ['cart.shop:80', cart, true],
  ['cart.shop:81', cart, false],
  ['cart.shop.svc.cluster.local', cart, true],
  ['cart.shop.svc.cluster.local:80', cart, true],
  ['shop/cart.shop.svc.cluster.local', cart, true],
  ['cart.lab', cart, false],
  ['car', cart, false],
  ['cart.sho', cart, false],
  ['cart', { ...cart, from: 'lab/Deployment/checkout' }, false],
  ['api.example.com', external, true],
  ['api', external, false],
  ['10.0.7.9', address, true],
  ['10.0.7.9:8080', address, true],
  ['10.0.7.9:80', address, false],
  ['intranet.example.com', address, true],
  ['10.0.7', address, false],
  ['[fd00::9]', address6, true],
  ['[fd00::9]:8080', address6, true],
  ['[fd00::8]', address6, false],
] as const;

for (const [text, edge, expected] of cases) {
  test(`"${text}" ${expected ? 'means' : 'does not mean'} ${edge.to}:${edge.port} of ${edge.from}`, () => {
    assert.equal(leadsTo(text)(edge), expected);
  });
}
