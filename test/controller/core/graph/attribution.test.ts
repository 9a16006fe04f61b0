import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostWithoutPort } from '../../../../controller/core/graph/attribution.ts';
import { attributor } from '../../../../controller/core/graph/attributor.ts';
import { destinationText } from '../../../../controller/core/graph/dependency.ts';
import type { AccessLogEntry, RelayReason } from '../../../../controller/core/model.ts';
import { Registry } from '../../../../controller/core/registry/registry.ts';
import { entry, pod, service, slice } from '../../../support/mesh-objects.ts';

const cart = service('cart', { 80: 'HTTP', 9000: 'TCP', 8443: 'TLS' }, { clusterIP: '10.96.0.1' });
const pay = service('pay', { 80: 'HTTP' }, { namespace: 'bank', clusterIP: '10.96.0.2' });
const headless = service('peers', { 80: 'HTTP', 7000: 'TCP' });
const registry = new Registry({ defaultMode: 'Enforce' });
registry.apply(
  [
    cart,
    pay,
    headless,
    slice(headless, ['10.0.0.7']),
    pod('front-0', '10.0.0.1'),
    pod('peers-0', '10.0.0.7'),
    { kind: 'Node', namespace: '', name: 'n1', addresses: ['192.168.0.5'] } as const,
  ].map((object) => ({ type: 'Applied', object, at: 0 })),
);
const attribute = attributor(registry, 'direct');

type Case = readonly [
  name: string,
  destination: string,
  options: Partial<AccessLogEntry>,
  target: string,
  reason?: RelayReason,
];
const CART = 'shop/cart.shop.svc.cluster.local';
const PAY = 'bank/pay.bank.svc.cluster.local';
const PEERS = 'shop/peers.shop.svc.cluster.local';

const CASES: readonly Case[] = [
  ['a ClusterIP with no name', '10.96.0.1:9000', {}, `${CART}:9000`],
  [
    'TLS to a declared TLS port, whatever its server name',
    '10.96.0.1:8443',
    { protocol: 'TLS', serverName: 'x.com' },
    `${CART}:8443`,
  ],
  ['HTTP by its own Host', '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart' }, `${CART}:80`],
  ['HTTP by Host with port', '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart.shop:80' }, `${CART}:80`],
  ['HTTP by ClusterIP as Host', '10.96.0.1:80', { protocol: 'HTTP1', host: '10.96.0.1' }, `${CART}:80`],
  ['the Host against the dialled address', '10.96.0.1:80', { protocol: 'HTTP1', host: 'pay.bank' }, `${PAY}:80`],
  [
    'a Host of a service from an external address',
    '93.184.216.34:80',
    { protocol: 'HTTP1', host: 'pay.bank' },
    `${PAY}:80`,
  ],
  [
    'HTTP with a Host that is nobody',
    '10.96.0.1:80',
    { protocol: 'HTTP1', host: 'x.com' },
    `${CART}:80`,
    'HostMismatch',
  ],
  [
    'a Host of a service without that port',
    '10.96.0.2:80',
    { protocol: 'HTTP1', host: 'nobody.shop' },
    `${PAY}:80`,
    'HostMismatch',
  ],
  ['HTTP/2, whose authority is not read', '10.96.0.1:80', { protocol: 'HTTP2' }, `${CART}:80`],
  ['HTTP on a port declared TCP', '10.96.0.1:9000', { protocol: 'HTTP1', host: 'x.com' }, `${CART}:9000`],
  ['raw bytes on a port declared HTTP', '10.96.0.1:80', { protocol: 'TCP' }, `${CART}:80`, 'ProtocolMismatch'],
  ['TLS on a port declared HTTP', '10.96.0.1:80', { protocol: 'TLS' }, `${CART}:80`, 'ProtocolMismatch'],
  ['a headless pod by the service name', '10.0.0.7:80', { protocol: 'HTTP1', host: 'peers.shop' }, `${PEERS}:80`],
  [
    'a headless pod by its own name',
    '10.0.0.7:80',
    { protocol: 'HTTP1', host: 'peers-0.peers.shop.svc' },
    `${PEERS}:80`,
  ],
  ['a headless pod over HTTP/2', '10.0.0.7:80', { protocol: 'HTTP2' }, `${PEERS}:80`],
  ['a headless pod by address', '10.0.0.7:80', { protocol: 'HTTP1', host: '10.0.0.7' }, `${PEERS}:80`, 'HostMismatch'],
  ['headless TCP', '10.0.0.7:7000', {}, '10.0.0.7:7000', 'PodIP'],
  [
    'a server name from another address',
    '93.184.216.34:8443',
    { protocol: 'TLS', serverName: 'cart.shop' },
    `${CART}:8443`,
    'SniMismatch',
  ],
  ['an unknown port of a ClusterIP', '10.96.0.1:4444', {}, '10.96.0.1:4444', 'External'],
  ['a node', '192.168.0.5:30080', {}, '192.168.0.5:30080', 'NodeIP'],
  [
    'an external address with a Host',
    '93.184.216.34:80',
    { protocol: 'HTTP1', host: 'Example.com:80' },
    '93.184.216.34:80 (example.com)',
    'External',
  ],
  [
    'an external address with a server name',
    '93.184.216.34:443',
    { protocol: 'TLS', serverName: 'example.com' },
    '93.184.216.34:443 (example.com)',
    'External',
  ],
];

describe('attribution in direct mode', () => {
  for (const [name, destination, options, target, reason] of CASES) {
    it(`${name} is ${target}${reason ? `, relayed as ${reason}` : ''}`, () => {
      const result = attribute(entry('10.0.0.1', destination, options));
      assert.equal(result.kind, 'Edge');
      if (result.kind !== 'Edge') return;
      assert.equal(result.source, 'shop/Deployment/front');
      assert.equal(destinationText(result.destination), target);
      assert.equal(result.relayReason, reason);
    });
  }

  it('does not guess a source', () => {
    assert.deepEqual(attribute(entry('10.0.0.99', '10.96.0.1:80')), { kind: 'UnknownSource' });
  });
});

describe('hostWithoutPort', () => {
  const cases = [
    ['a', 'a'],
    ['a:80', 'a'],
    ['a:', 'a'],
    ['[::1]', '[::1]'],
    ['[::1]:80', '[::1]'],
  ] as const;
  for (const [host, bare] of cases) it(`of ${host} is ${bare}`, () => assert.equal(hostWithoutPort(host), bare));
});
