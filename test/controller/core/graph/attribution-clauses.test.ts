/** Where a connection leads, clause by clause, in both modes beside each other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attributor } from '../../../../controller/core/graph/attributor.ts';
import { destinationText } from '../../../../controller/core/graph/dependency.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { AccessLogEntry } from '../../../../controller/core/model.ts';
import { type Dialect, Registry } from '../../../../controller/core/registry/registry.ts';
import { entry, pod, service, slice } from '../../../support/mesh-objects.ts';
import { serviceEntry, virtualService } from '../../../support/policy-objects.ts';

const cart = service('cart', { 80: 'HTTP', 8080: 'HTTP', 9000: 'TCP', 8443: 'TLS' }, { clusterIP: '10.96.0.1' });
const pay = service('pay', { 80: 'HTTP', 9000: 'TCP' }, { namespace: 'bank', clusterIP: '10.96.0.2' });
const six = service('six', { 80: 'HTTP', 9000: 'TCP' }, { clusterIP: 'fd00:96::6' });
/** Its pods listen on 18080 and 17000. */
const peers = service('peers', { 8080: 'HTTP', 7000: 'TCP' });
const peersSlice = {
  ...slice(peers, ['10.0.0.7']),
  ports: peers.ports.map(({ name, port }) => ({ name, port: port + 10_000 })),
};
/** Its pods listen on the ports that it declares. */
const twins = service('twins', { 8080: 'HTTP', 7001: 'TCP' });

const OBJECTS: readonly MeshObject[] = [
  cart,
  pay,
  six,
  peers,
  peersSlice,
  twins,
  slice(twins, ['10.0.0.8']),
  pod('front-0', '10.0.0.1'),
  pod('peers-0', '10.0.0.7'),
  pod('twins-0', '10.0.0.8'),
  { kind: 'Node', namespace: '', name: 'n1', addresses: ['192.168.0.5'] },
];
const ISTIO_ONLY: readonly MeshObject[] = [
  serviceEntry('ext.example.com', { 80: 'HTTP' }, { resolution: 'DNS' }),
  serviceEntry('vip.example.com', { 9000: 'TCP' }, { addresses: ['10.200.0.10'] }),
  virtualService('shop.example.com'),
];

const CART = 'shop/cart.shop.svc.cluster.local';
const PAY = 'bank/pay.bank.svc.cluster.local';
const SIX = 'shop/six.shop.svc.cluster.local';
const PEERS = 'shop/peers.shop.svc.cluster.local';
const TWINS = 'shop/twins.shop.svc.cluster.local';

const http = (host?: string): Partial<AccessLogEntry> => ({
  protocol: 'HTTP1',
  ...(host === undefined ? {} : { host }),
});
const tls = (serverName?: string): Partial<AccessLogEntry> => ({
  protocol: 'TLS',
  ...(serverName === undefined ? {} : { serverName }),
});
const v6 = { destination: { address: 'fd00:96::6', port: 80 } };

/** Clause, dialled address, what was said; then what it leads to in direct mode and, where that differs, in Istio mode. */
type Row = readonly [string, string, Partial<AccessLogEntry>, string, string?];

const CLAUSES: Readonly<Record<string, readonly Row[]>> = {
  'a Host is a domain of a service on that port': [
    ['the service of the address', '10.96.0.1:80', http('cart'), `${CART}:80`],
    ['another service: it wins over the address', '10.96.0.1:80', http('pay.bank'), `${PAY}:80`],
    ['with the port', '10.96.0.1:80', http('cart:80'), `${CART}:80`],
    ['with another port, which Envoy ignores', '10.96.0.1:80', http('cart:9999'), `${CART}:80`],
    ['`name`', '10.96.0.1:80', http('cart'), `${CART}:80`],
    ['`name.namespace`', '10.96.0.1:80', http('cart.shop'), `${CART}:80`],
    ['`name.namespace.svc`', '10.96.0.1:80', http('cart.shop.svc'), `${CART}:80`],
    ['the full name', '10.96.0.1:80', http('cart.shop.svc.cluster.local'), `${CART}:80`],
    ['in capitals', '10.96.0.1:80', http('Cart.SHOP.svc.Cluster.Local'), `${CART}:80`],
    ['with a final dot', '10.96.0.1:80', http('cart.shop.svc.cluster.local.'), `${CART}:80`],
    ['with a final dot and a port', '10.96.0.1:80', http('cart.shop.svc.cluster.local.:80'), `${CART}:80`],
    ['a ClusterIP', '10.96.0.1:80', http('10.96.0.1'), `${CART}:80`],
    ['an IPv6 ClusterIP with a port', '', { ...v6, ...http('[fd00:96::6]:80') }, `${SIX}:80`],
    ['from an address outside', '93.184.216.34:80', http('pay.bank'), `${PAY}:80`],
    ['from the address of a pod', '10.0.0.8:80', http('pay.bank'), `${PAY}:80`],
  ],
  'a Host is none of that, so the address tells the service': [
    ['a name of nobody', '10.96.0.1:80', http('x.com'), `${CART}:80 HostMismatch`],
    ['a short name of another namespace', '10.96.0.2:80', http('pay'), `${PAY}:80 HostMismatch`],
    ['a service that lacks that port', '10.96.0.1:8080', http('pay.bank'), `${CART}:8080 HostMismatch`],
    [
      'a full name of another cluster domain',
      '10.96.0.1:80',
      http('cart.shop.svc.other.local'),
      `${CART}:80 HostMismatch`,
    ],
    ['the ClusterIP of another service', '10.96.0.1:80', http('10.96.0.2'), `${CART}:80 HostMismatch`],
    ['empty labels', '10.96.0.1:80', http('..'), `${CART}:80 HostMismatch`],
    ['none was sent', '10.96.0.1:80', http(), `${CART}:80`],
    ['HTTP/2, whose authority is not read', '10.96.0.1:80', { protocol: 'HTTP2' }, `${CART}:80`],
    ['a name that JavaScript objects have', '10.96.0.1:80', http('constructor.__proto__'), `${CART}:80 HostMismatch`],
  ],
  'a ClusterIP and a port of it': [
    ['TCP', '10.96.0.1:9000', {}, `${CART}:9000`],
    ['TCP over IPv6', '', { destination: { address: 'fd00:96::6', port: 9000 } }, `${SIX}:9000`],
    ['TLS, whatever server name', '10.96.0.1:8443', tls('pay.bank'), `${CART}:8443`],
    ['HTTP on a port declared TCP, whatever Host', '10.96.0.1:9000', http('pay.bank'), `${CART}:9000`],
    ['no HTTP on a port declared HTTP', '10.96.0.1:80', {}, `${CART}:80 ProtocolMismatch`],
    ['TLS on a port declared HTTP', '10.96.0.1:80', tls('cart'), `${CART}:80 ProtocolMismatch`],
    ['a port that it lacks', '10.96.0.1:4444', {}, '10.96.0.1:4444 External'],
    ['a ServiceEntry of an address', '10.200.0.10:9000', {}, '10.200.0.10:9000 External', 'shop/vip.example.com:9000'],
  ],
  'a headless service': [
    ['its own Host', '10.0.0.8:8080', http('twins.shop'), `${TWINS}:8080`],
    ["its pod's own name as Host", '10.0.0.8:8080', http('twins-0.twins.shop.svc.cluster.local'), `${TWINS}:8080`],
    ['the Host of another service is preferred', '10.0.0.8:8080', http('cart'), `${CART}:8080`],
    ["the pod's address as Host", '10.0.0.8:8080', http('10.0.0.8'), `${TWINS}:8080 HostMismatch`],
    ['HTTP/2 to a pod', '10.0.0.8:8080', { protocol: 'HTTP2' }, `${TWINS}:8080`],
    ['TCP to a pod', '10.0.0.8:7001', {}, '10.0.0.8:7001 PodIP', `${TWINS}:7001`],
    [
      'HTTP to a target port that is not its own',
      '10.0.0.7:18080',
      http('peers'),
      '10.0.0.7:18080 (peers) PodIP',
      `${PEERS}:8080 PodIP`,
    ],
    ['TCP to such a port', '10.0.0.7:17000', {}, '10.0.0.7:17000 PodIP', `${PEERS}:7000 PodIP`],
    ['the port of the service, where no pod listens', '10.0.0.7:7000', {}, '10.0.0.7:7000 PodIP'],
  ],
  'a TLS server name, where the address tells nothing': [
    ['of a service with that port', '93.184.216.34:8443', tls('cart.shop'), `${CART}:8443 SniMismatch`],
    ['in capitals and with a dot', '93.184.216.34:8443', tls('Cart.Shop.svc.'), `${CART}:8443 SniMismatch`],
    ['of a service without that port', '1.2.3.4:443', tls('cart.shop'), '1.2.3.4:443 (cart.shop) External'],
    ['of nobody', '1.2.3.4:8443', tls('x.com'), '1.2.3.4:8443 (x.com) External'],
    ['none', '1.2.3.4:8443', tls(), '1.2.3.4:8443 External'],
  ],
  'an address of the mesh': [
    ['a pod', '10.0.0.1:5000', {}, '10.0.0.1:5000 PodIP'],
    ['a pod over HTTP by its address', '10.0.0.1:5000', http('10.0.0.1:5000'), '10.0.0.1:5000 (10.0.0.1) PodIP'],
    ['a node', '192.168.0.5:30080', {}, '192.168.0.5:30080 NodeIP'],
  ],
  'an address outside': [
    ['TCP', '93.184.216.34:5000', {}, '93.184.216.34:5000 External'],
    [
      'with the name that was used',
      '93.184.216.34:443',
      tls('Example.COM'),
      '93.184.216.34:443 (example.com) External',
    ],
    [
      'a Host of it on port 80',
      '93.184.216.34:80',
      http('ext.example.com'),
      '93.184.216.34:80 (ext.example.com) External',
      'shop/ext.example.com:80',
    ],
    [
      'a host of a VirtualService on port 80',
      '1.2.3.4:80',
      http('shop.example.com'),
      '1.2.3.4:80 (shop.example.com) External',
      'shop/shop.example.com:80',
    ],
    ['that host on another port', '1.2.3.4:8080', http('shop.example.com'), '1.2.3.4:8080 (shop.example.com) External'],
  ],
};

function attributed(dialect: Dialect): (destination: string, options: Partial<AccessLogEntry>) => string {
  const registry = new Registry({ defaultMode: 'Observe', dialect });
  const objects = dialect === 'istio' ? [...OBJECTS, ...ISTIO_ONLY] : OBJECTS;
  registry.apply(objects.map((object) => ({ type: 'Applied', object, at: 0 })));
  const attribute = attributor(registry, dialect);
  return (destination, options) => {
    const result = attribute(entry('10.0.0.1', destination, options));
    assert.ok(result.kind === 'Edge');
    assert.equal(result.source, 'shop/Deployment/front');
    return `${destinationText(result.destination)} ${result.relayReason ?? ''}`.trim();
  };
}

for (const dialect of ['direct', 'istio'] as const) {
  const attribute = attributed(dialect);
  for (const [clause, rows] of Object.entries(CLAUSES)) {
    describe(`${dialect} mode: ${clause}`, () => {
      for (const [what, destination, options, direct, istio] of rows) {
        const expected = dialect === 'istio' ? (istio ?? direct) : direct;
        it(`${what}: ${expected}`, () => assert.equal(attribute(destination, options), expected));
      }
    });
  }
}
