import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PortProtocol } from '../../controller/core/model.ts';
import type { RelayTarget } from '../../controller/core/relay-target.ts';
import { IdentityTable } from '../../egress/identity-table.ts';
import { callerNamespace, nameCompletion } from '../../egress/name-completion.ts';
import { RoutingTable } from '../../egress/routing-table.ts';

const PORT = 8080;
const CART = { address: '10.96.0.1', port: PORT };

function target(name: string, namespace: string, more: Partial<RelayTarget> = {}): RelayTarget {
  const host = `${name}.${namespace}.svc.cluster.local`;
  const hosts = [host, `${name}.${namespace}.svc`, `${name}.${namespace}`];
  const protocol: PortProtocol = 'HTTP';
  const common = { service: `${namespace}/${host}`, port: PORT, protocol, clusterIPs: [], hosts };
  return { ...common, headless: false, relayable: true, ...more };
}

const table = new RoutingTable();
const TARGETS: readonly RelayTarget[] = [
  target('cart', 'shop', { clusterIPs: [CART.address] }),
  target('tcp', 'shop', { protocol: 'TCP', clusterIPs: ['10.96.0.2'] }),
  target('auto', 'shop', { protocol: 'Auto', clusterIPs: ['10.96.0.3'] }),
  target('grpc', 'shop', { protocol: 'GRPC' }),
  target('guarded', 'shop', { relayable: false }),
  target('elsewhere', 'shop', { port: 9090 }),
  target('hl', 'shop', { headless: true }),
  target('back-1', 'hl'),
  target('cart', 'other'),
  target('only', 'other'),
  { ...target('outside', 'shop'), service: 'shop/outside.shop', hosts: ['outside.shop'] },
  { ...target('short', 'shop') },
  { ...target('short', 'egress'), service: 'egress/short', hosts: ['short'] },
];
for (const [number, one] of TARGETS.entries()) table.set(`${number}`, one);

const NAMES: readonly (readonly [string, string, string | undefined])[] = [
  ['a service of the namespace', 'cart', 'cart.shop'],
  ['one with a port', 'cart:8080', 'cart.shop:8080'],
  ['one with a port that is not the one dialled, which Envoy does not look at either', 'cart:1', 'cart.shop:1'],
  ['one in capitals', 'Cart', 'Cart.shop'],
  ['a gRPC service', 'grpc', 'grpc.shop'],
  ['a pod of a headless service', 'back-0.hl', 'back-0.hl.shop'],
  ['one with a port', 'back-0.hl:8080', 'back-0.hl.shop:8080'],
  ['a headless service', 'hl', 'hl.shop'],
  ['a service in a namespace with the name of a headless service', 'back-1.hl', undefined],
  ['a service that has no such pods', 'back-0.cart', undefined],
  ['a service of another namespace', 'only', undefined],
  ['a name with its namespace', 'cart.shop', undefined],
  ['that of a namespace that is not the own', 'cart.other', undefined],
  ['a full name', 'cart.shop.svc.cluster.local', undefined],
  ['a full name of a pod', 'back-0.hl.shop', undefined],
  ['what looks like a service but is declared under that very name', 'outside', undefined],
  ['a name that is declared as it is', 'short', undefined],
  ['a service that is not HTTP', 'tcp', undefined],
  ['one of which nothing is declared', 'auto', undefined],
  ['one that may not be relayed', 'guarded', undefined],
  ['one without this port', 'elsewhere', undefined],
  ['one that is not known', 'nobody', undefined],
  ['a trailing dot, which Envoy does not take for the same', 'cart.', undefined],
  ['an address', '10.96.0.1', undefined],
  ['one in brackets', '[::1]:8080', undefined],
  ['nothing', '', undefined],
  ['nothing but a port', ':8080', undefined],
  ['no port behind a colon', 'cart:', undefined],
  ['a user', 'me@cart', undefined],
  ['a very long name', 'a'.repeat(100_000), undefined],
];

for (const [name, authority, expected] of NAMES) {
  test(`of ${name}: ${authority.slice(0, 40)} becomes ${expected ?? 'nothing else'}`, () => {
    assert.equal(nameCompletion(CART, 'shop', table)?.(authority), expected);
  });
}

test('names are completed for a service that is declared HTTP, and for what is no service on a port that is', () => {
  const isCompleted = (address: string, port = PORT): boolean =>
    nameCompletion({ address, port }, 'shop', table)?.('cart') !== undefined;
  assert.deepEqual(
    ['10.96.0.1', '10.96.0.2', '10.96.0.3', '10.0.0.1'].map((address) => isCompleted(address)),
    [true, false, false, true],
  );
  assert.equal(isCompleted('10.0.0.1', 9999), false);
  assert.equal(nameCompletion(CART, undefined, table), undefined, 'nor for who is not known');
});

test('a service that comes later is known from then on', () => {
  const growing = new RoutingTable();
  growing.set('a', target('a', 'shop'));
  const complete = nameCompletion(CART, 'shop', growing);
  assert.equal(complete?.('late'), undefined);
  growing.set('late', target('late', 'shop'));
  assert.equal(complete?.('late'), 'late.shop');
});

test('the namespace of a caller is that of its certificate, else of all pods at its address', () => {
  const identities = new IdentityTable();
  const source = { address: '10.0.0.1', port: 1 };
  const known = (): string | undefined => callerNamespace({ source }, identities);
  assert.equal(known(), undefined);
  identities.set('a', { namespace: 'shop', serviceAccount: 'a', addresses: ['10.0.0.1'] });
  identities.set('b', { namespace: 'shop', serviceAccount: 'b', addresses: ['10.0.0.1'] });
  assert.equal(known(), 'shop');
  identities.set('c', { namespace: 'other', serviceAccount: 'c', addresses: ['10.0.0.1'] });
  assert.equal(known(), undefined);
  assert.equal(callerNamespace({ source, namespace: 'shop' }, identities), 'shop');
});
