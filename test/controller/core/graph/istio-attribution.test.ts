import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attributor } from '../../../../controller/core/graph/attributor.ts';
import { destinationText } from '../../../../controller/core/graph/dependency.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { AccessLogEntry, RelayReason } from '../../../../controller/core/model.ts';
import { Registry } from '../../../../controller/core/registry/registry.ts';
import { entry, pod, service, slice } from '../../../support/mesh-objects.ts';
import { serviceEntry, virtualService } from '../../../support/policy-objects.ts';

const cart = service(
  'cart',
  { 80: 'HTTP', 9000: 'TCP', 8443: 'TLS', 7070: 'Auto', 8080: 'Auto' },
  { clusterIP: '10.96.0.1' },
);
const pay = service('pay', { 80: 'HTTP', 8080: 'HTTP' }, { namespace: 'bank', clusterIP: '10.96.0.2' });
const peers = service('peers', { 80: 'HTTP', 7000: 'TCP', 7443: 'TLS', 7777: 'Auto', 9090: 'HTTP', 9191: 'TCP' });
/** Before the same pod, with a declared protocol where `peers` has none. */
const twin = service('twin', { 7777: 'TCP' });
const peersSlice = {
  ...slice(peers, ['10.0.0.7']),
  ports: peers.ports.map(({ name, port }) => ({ name, port: port > 9000 ? port + 10_000 : port })),
};

const OBJECTS: readonly MeshObject[] = [
  cart,
  pay,
  peers,
  peersSlice,
  twin,
  slice(twin, ['10.0.0.8']),
  { ...slice(peers, ['10.0.0.8']), name: 'peers-2' },
  pod('front-0', '10.0.0.1'),
  pod('back-0', '10.0.0.2', { namespace: 'bank' }),
  pod('peers-0', '10.0.0.7'),
  { kind: 'Node', namespace: '', name: 'n1', addresses: ['192.168.0.5'] },
  serviceEntry('vip.example.com', { 80: 'HTTP', 9000: 'TCP', 443: 'TLS' }, { addresses: ['10.200.0.10'] }),
  serviceEntry('ext.example.com', { 80: 'HTTP', 443: 'TLS' }, { resolution: 'DNS' }),
  serviceEntry('taker.example.com', { 80: 'HTTP', 443: 'TLS', 9001: 'TCP' }, { resolution: 'NONE' }),
  serviceEntry('sniffed.example.com', { 80: 'HTTP', 9002: 'Auto' }, { resolution: 'NONE' }),
  serviceEntry(
    'net.example.com',
    { 80: 'HTTP', 443: 'TLS', 9000: 'TCP' },
    { addresses: ['10.77.2.0/24'], resolution: 'NONE' },
  ),
  serviceEntry('wide.example.com', { 9000: 'TCP', 9005: 'TCP' }, { addresses: ['10.77.0.0/16'], resolution: 'NONE' }),
  serviceEntry('*.wild.example.com', { 80: 'HTTP', 443: 'TLS' }, { resolution: 'NONE' }),
  serviceEntry(
    'dns.example.com',
    { 80: 'HTTP', 9003: 'TCP' },
    { resolution: 'DNS', allocated: [{ host: 'dns.example.com', address: '240.240.0.1' }] },
  ),
  serviceEntry('own.example.com', { 80: 'HTTP' }, { namespace: 'bank', exportTo: ['.'], resolution: 'DNS' }),
  virtualService('shop.example.com'),
  virtualService('cart.shop.svc.cluster.local', { name: 'for-cart' }),
  virtualService('edge.example.com', { isMesh: false }),
];

const registry = new Registry({ defaultMode: 'Observe', dialect: 'istio' });
registry.apply(OBJECTS.map((object) => ({ type: 'Applied', object, at: 0 })));
const attribute = attributor(registry, 'istio');

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
const TWIN = 'shop/twin.shop.svc.cluster.local';

const http = (host: string): Partial<AccessLogEntry> => ({ protocol: 'HTTP1', host });
const tls = (serverName?: string): Partial<AccessLogEntry> => ({
  protocol: 'TLS',
  ...(serverName === undefined ? {} : { serverName }),
});
const H2: Partial<AccessLogEntry> = { protocol: 'HTTP2' };

const GROUPS: Readonly<Record<string, readonly Case[]>> = {
  'a Service': [
    ['TCP at its ClusterIP', '10.96.0.1:9000', {}, `${CART}:9000`],
    ['TLS at its ClusterIP, whatever its server name', '10.96.0.1:8443', tls('x.com'), `${CART}:8443`],
    ['HTTP by its own Host', '10.96.0.1:80', http('cart'), `${CART}:80`],
    ['HTTP by FQDN with a port', '10.96.0.1:80', http('cart.shop.svc.cluster.local:80'), `${CART}:80`],
    ['HTTP by FQDN with a final dot', '10.96.0.1:80', http('cart.shop.svc.cluster.local.'), `${CART}:80`],
    ['HTTP by ClusterIP as Host', '10.96.0.1:80', http('10.96.0.1'), `${CART}:80`],
    ['the Host against the dialled HTTP address', '10.96.0.1:80', http('pay.bank'), `${PAY}:80`],
    ['the Host from an external address', '93.184.216.34:80', http('pay.bank'), `${PAY}:80`],
    ['HTTP with a Host that is nobody', '10.96.0.1:80', http('x.com'), `${CART}:80`, 'HostMismatch'],
    ['HTTP/2, whose authority is not read', '10.96.0.1:80', H2, `${CART}:80`],
    ['raw bytes on a port declared HTTP', '10.96.0.1:80', {}, `${CART}:80`, 'ProtocolMismatch'],
    ['TLS on a port declared HTTP', '10.96.0.1:80', tls('cart'), `${CART}:80`, 'ProtocolMismatch'],
    ['an undeclared port, whatever its bytes', '10.96.0.1:7070', {}, `${CART}:7070`],
    ['an undeclared port with a strange Host', '10.96.0.1:7070', http('x.com'), `${CART}:7070`],
    ['an undeclared port over the Host of an HTTP service', '10.96.0.1:8080', http('pay.bank'), `${CART}:8080`],
    ['HTTP on a port declared TCP', '10.96.0.1:9000', http('x.com'), `${CART}:9000`],
    ['a server name from another address', '93.184.216.34:8443', tls('cart.shop'), `${CART}:8443`, 'SniMismatch'],
    ['an unknown port of a ClusterIP', '10.96.0.1:4444', {}, '10.96.0.1:4444', 'External'],
  ],
  'a headless Service': [
    ['HTTP by the service name', '10.0.0.7:80', http('peers.shop'), `${PEERS}:80`],
    ['HTTP by the pod name', '10.0.0.7:80', http('peers-0.peers.shop.svc.cluster.local'), `${PEERS}:80`],
    ['HTTP by the pod address', '10.0.0.7:80', http('10.0.0.7'), `${PEERS}:80`, 'HostMismatch'],
    ['HTTP/2', '10.0.0.7:80', H2, `${PEERS}:80`],
    ['TCP', '10.0.0.7:7000', {}, `${PEERS}:7000`],
    ['TLS', '10.0.0.7:7443', tls('x.com'), `${PEERS}:7443`],
    ['an undeclared port', '10.0.0.7:7777', {}, `${PEERS}:7777`, 'UndeclaredHeadless'],
    ['a pod of two, where one can be routed to', '10.0.0.8:7777', {}, `${TWIN}:7777`],
    ['HTTP at a target port that is not its own', '10.0.0.7:19090', http('peers'), `${PEERS}:9090`, 'PodIP'],
    ['TCP at a target port that is not its own', '10.0.0.7:19191', {}, `${PEERS}:9191`, 'PodIP'],
    ['another port of its pod', '10.0.0.7:1234', {}, '10.0.0.7:1234', 'PodIP'],
  ],
  'a ServiceEntry with an address': [
    ['HTTP by Host', '10.200.0.10:80', http('vip.example.com'), 'shop/vip.example.com:80'],
    ['HTTP by Host at another address', '93.184.216.34:80', http('VIP.example.com:80'), 'shop/vip.example.com:80'],
    ['HTTP by address as Host', '10.200.0.10:80', http('10.200.0.10'), 'shop/vip.example.com:80'],
    ['HTTP with another Host', '10.200.0.10:80', http('x.com'), 'shop/vip.example.com:80', 'HostMismatch'],
    ['HTTP/2', '10.200.0.10:80', H2, 'shop/vip.example.com:80'],
    ['raw bytes on its HTTP port', '10.200.0.10:80', {}, 'shop/vip.example.com:80', 'ProtocolMismatch'],
    ['TCP', '10.200.0.10:9000', {}, 'shop/vip.example.com:9000'],
    ['TLS without a name', '10.200.0.10:443', tls(), 'shop/vip.example.com:443'],
    ['TLS with its name elsewhere', '1.2.3.4:443', tls('vip.example.com'), 'shop/vip.example.com:443', 'SniMismatch'],
    ['a port that it lacks', '10.200.0.10:81', {}, '10.200.0.10:81', 'External'],
  ],
  'a ServiceEntry without an address': [
    ['HTTP by Host', '93.184.216.34:80', http('ext.example.com'), 'shop/ext.example.com:80'],
    ['HTTP/2, whose authority is not read', '93.184.216.34:80', H2, '93.184.216.34:80', 'External'],
    ['TLS by server name', '93.184.216.34:443', tls('ext.example.com'), 'shop/ext.example.com:443'],
    ['another server name', '93.184.216.34:443', tls('x.example.com'), '93.184.216.34:443 (x.example.com)', 'External'],
    [
      'its Host on a port that it lacks',
      '93.184.216.34:8080',
      http('ext.example.com'),
      '93.184.216.34:8080 (ext.example.com)',
      'External',
    ],
    ['HTTP by a name below its wildcard', '1.2.3.4:80', http('a.wild.example.com'), 'shop/*.wild.example.com:80'],
    ['TLS by a name below its wildcard', '1.2.3.4:443', tls('a.b.wild.example.com'), 'shop/*.wild.example.com:443'],
    [
      'the wildcard without its star',
      '1.2.3.4:80',
      http('wild.example.com'),
      '1.2.3.4:80 (wild.example.com)',
      'External',
    ],
    ['HTTP beside a TCP port', '1.2.3.4:80', http('taker.example.com'), 'shop/taker.example.com:80', 'CapturesPort'],
    ['TLS beside a TCP port', '1.2.3.4:443', tls('taker.example.com'), 'shop/taker.example.com:443', 'CapturesPort'],
    [
      'HTTP beside an undeclared port',
      '1.2.3.4:80',
      http('sniffed.example.com'),
      'shop/sniffed.example.com:80',
      'CapturesPort',
    ],
    ['its TCP port, which nothing tells', '1.2.3.4:9001', {}, '1.2.3.4:9001', 'External'],
    ['TCP at the address that istiod allocated', '240.240.0.1:9003', {}, 'shop/dns.example.com:9003'],
    ['HTTP at that address', '240.240.0.1:80', http('240.240.0.1'), 'shop/dns.example.com:80'],
    [
      'one that another namespace keeps for itself',
      '1.2.3.4:80',
      http('own.example.com'),
      '1.2.3.4:80 (own.example.com)',
      'External',
    ],
  ],
  'a ServiceEntry with a CIDR block': [
    ['TCP, by the longest prefix', '10.77.2.9:9000', {}, 'shop/net.example.com:9000'],
    ['TCP outside the longer prefix', '10.77.3.9:9000', {}, 'shop/wide.example.com:9000'],
    ['TCP on a port that only the shorter prefix has', '10.77.2.9:9005', {}, 'shop/wide.example.com:9005'],
    ['TLS with its name', '10.77.2.9:443', tls('net.example.com'), 'shop/net.example.com:443'],
    ['TLS with another name', '10.77.2.9:443', tls('x.com'), 'shop/net.example.com:443', 'SniMismatch'],
    ['TLS without a name', '10.77.2.9:443', tls(), 'shop/net.example.com:443', 'SniMismatch'],
    ['HTTP by an address in it', '10.77.2.9:80', http('10.77.2.9'), 'shop/net.example.com:80', 'HostMismatch'],
    ['an address outside', '10.78.0.1:9000', {}, '10.78.0.1:9000', 'External'],
  ],
  'a host of a VirtualService': [
    ['port 80 of a Service', '10.96.0.1:80', http('shop.example.com'), 'shop/shop.example.com:80'],
    ['port 80 anywhere', '93.184.216.34:80', http('shop.example.com'), 'shop/shop.example.com:80'],
    [
      'another port',
      '93.184.216.34:8080',
      http('shop.example.com'),
      '93.184.216.34:8080 (shop.example.com)',
      'External',
    ],
    ['one of gateways alone', '1.2.3.4:80', http('edge.example.com'), '1.2.3.4:80 (edge.example.com)', 'External'],
  ],
  'nothing of the mesh': [
    ['a node', '192.168.0.5:30080', {}, '192.168.0.5:30080', 'NodeIP'],
    ['a pod', '10.0.0.2:8080', http('10.0.0.2'), '10.0.0.2:8080 (10.0.0.2)', 'PodIP'],
    ['an address outside', '93.184.216.34:443', tls('x.com'), '93.184.216.34:443 (x.com)', 'External'],
  ],
};

for (const [group, cases] of Object.entries(GROUPS)) {
  describe(`attribution in Istio mode to ${group}`, () => {
    for (const [name, destination, options, target, reason] of cases) {
      it(`${name} is ${target}${reason ? `, relayed as ${reason}` : ''}`, () => {
        const result = attribute(entry('10.0.0.1', destination, options));
        assert.equal(result.kind, 'Edge');
        if (result.kind !== 'Edge') return;
        assert.equal(result.source, 'shop/Deployment/front');
        assert.equal(destinationText(result.destination), target);
        assert.equal(result.relayReason, reason);
      });
    }
  });
}

describe('attribution in Istio mode', () => {
  it('does not guess a source', () => {
    assert.deepEqual(attribute(entry('10.0.0.99', '10.96.0.1:80')), { kind: 'UnknownSource' });
  });

  it('sees what a namespace keeps for itself from there', () => {
    const result = attribute(entry('10.0.0.2', '1.2.3.4:80', http('own.example.com')));
    const destination = { kind: 'Service', service: 'bank/own.example.com', port: 80 };
    assert.deepEqual(result, { kind: 'Edge', source: 'bank/Deployment/back', destination });
  });

  it("prefers its own namespace's ServiceEntry of a name", () => {
    const both = new Registry({ defaultMode: 'Observe', dialect: 'istio' });
    const objects = [
      pod('front-0', '10.0.0.1'),
      serviceEntry('x.com', { 80: 'HTTP' }, { namespace: 'bank' }),
      serviceEntry('x.com', { 80: 'HTTP' }),
    ];
    both.apply(objects.map((object) => ({ type: 'Applied', object, at: 0 })));
    const result = attributor(both, 'istio')(entry('10.0.0.1', '1.2.3.4:80', http('x.com')));
    assert.equal(result.kind === 'Edge' && destinationText(result.destination), 'shop/x.com:80');
  });
});
