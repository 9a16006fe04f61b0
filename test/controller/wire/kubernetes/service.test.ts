import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesOf } from '../../../../controller/core/addresses.ts';
import type { Service } from '../../../../controller/core/model.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import { type KubernetesObject, serviceObject } from '../../../support/kubernetes-objects.ts';

const OPTIONS = { clusterDomain: 'cluster.local' };

function reduced(spec: KubernetesObject, options = OPTIONS): Service {
  const { objects, problems } = reduce(serviceObject('cart', spec), options);
  assert.deepEqual(problems, []);
  const [object] = objects;
  assert(object?.kind === 'Service');
  return object;
}

test('a Service keeps name, host, addresses and ports', () => {
  assert.deepEqual(reduced({}), {
    kind: 'Service',
    namespace: 'shop',
    name: 'cart',
    host: 'cart.shop.svc.cluster.local',
    clusterIPs: '10.96.0.10',
    headless: false,
    ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'HTTP' }],
  });
});

test('the host ends in the cluster domain', () => {
  assert.equal(reduced({}, { clusterDomain: 'mesh.test' }).host, 'cart.shop.svc.mesh.test');
});

const ADDRESSES: readonly (readonly [string, KubernetesObject, readonly string[], boolean])[] = [
  ['one address', { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }, ['10.0.0.1'], false],
  ['only clusterIP', { clusterIP: '10.0.0.1', clusterIPs: undefined }, ['10.0.0.1'], false],
  ['two families', { clusterIPs: ['10.0.0.1', 'FD00::0:1'] }, ['10.0.0.1', 'fd00::1'], false],
  ['None', { clusterIP: 'None', clusterIPs: ['None'] }, [], true],
  ['None without a list', { clusterIP: 'None', clusterIPs: null }, [], true],
];

for (const [what, spec, clusterIPs, headless] of ADDRESSES) {
  test(`a Service with ${what} ${headless ? 'is headless' : `has ${clusterIPs.join(' and ')}`}`, () => {
    const service = reduced(spec);
    assert.deepEqual([addressesOf(service.clusterIPs), service.headless], [clusterIPs, headless]);
  });
}

const PORTS: readonly (readonly [string, KubernetesObject, readonly KubernetesObject[]])[] = [
  ['UDP is dropped', { name: 'dns', port: 53, protocol: 'UDP' }, []],
  ['SCTP is dropped', { name: 'sig', port: 1, protocol: 'SCTP' }, []],
  ['an absent protocol is TCP', { name: 'x', port: 1 }, [{ name: 'x', port: 1, protocol: 'TCP' }]],
  ['an absent name is empty', { port: 1 }, [{ name: '', port: 1, protocol: 'TCP' }]],
  [
    'a named target stays a name',
    { port: 1, targetPort: 'web' },
    [{ name: '', port: 1, targetPort: 'web', protocol: 'TCP' }],
  ],
  ['target 0 is absent', { port: 1, targetPort: 0 }, [{ name: '', port: 1, protocol: 'TCP' }]],
  ['appProtocol counts', { port: 1, appProtocol: 'http' }, [{ name: '', port: 1, protocol: 'HTTP' }]],
];

for (const [what, port, expected] of PORTS) {
  test(`of a port: ${what}`, () => {
    assert.deepEqual(reduced({ ports: [port] }).ports, expected);
  });
}

test('a Service without ports has none', () => {
  assert.deepEqual(reduced({ ports: undefined, clusterIP: 'None', clusterIPs: ['None'] }).ports, []);
});

test('the protocol of undeclared ports is an option', () => {
  const { objects } = reduce(serviceObject('cart', { ports: [{ port: 1 }] }), { ...OPTIONS, undeclared: 'HTTP' });
  assert(objects[0]?.kind === 'Service');
  assert.equal(objects[0].ports[0]?.protocol, 'HTTP');
});

test('an ExternalName Service is ignored with the reason', () => {
  const external = { type: 'ExternalName', externalName: 'example.com', clusterIP: undefined, clusterIPs: undefined };
  const { objects, problems, ignored } = reduce(serviceObject('cart', external), OPTIONS);
  assert.deepEqual([objects, problems], [[], []]);
  assert.deepEqual(ignored, [
    {
      kind: 'Service',
      ref: { kind: 'Service', namespace: 'shop', name: 'cart' },
      reason: 'an ExternalName Service has no address of its own',
    },
  ]);
});

const WRONG: readonly (readonly [KubernetesObject, string])[] = [
  [{ ports: [{ port: 'x' }] }, 'spec.ports[0].port: expected number, received string'],
  [{ ports: [{ port: 80 }, { port: 70000 }] }, 'spec.ports[1].port: Too big: expected number to be <=65535'],
  [{ ports: [{ port: 80, targetPort: true }] }, 'spec.ports[0].targetPort: expected a port number or a port name'],
  [{ ports: 'http' }, 'spec.ports: expected array, received string'],
  [{ clusterIP: '10.0.0.256' }, 'spec.clusterIP: expected an IPv4 or IPv6 address or None, received "10.0.0.256"'],
  [
    { clusterIP: undefined, clusterIPs: undefined },
    'spec.clusterIP: expected an address or None, as the API server fills it in: give what `kubectl get` prints',
  ],
];

for (const [spec, reason] of WRONG) {
  test(`a wrong Service is rejected by name and field: ${reason}`, () => {
    const { objects, problems, rejected } = reduce(serviceObject('cart', spec), OPTIONS);
    assert.deepEqual(objects, []);
    assert.deepEqual(problems, [{ subject: 'Service shop/cart', reason }]);
    assert.deepEqual(rejected, [{ kind: 'Service', namespace: 'shop', name: 'cart' }]);
  });
}

const NO_LABELS: readonly KubernetesObject[] = [
  { name: '*' },
  { name: 'two words' },
  { name: 'web.demo' },
  { name: 'a'.repeat(64) },
  { namespace: '*' },
];

for (const metadata of NO_LABELS) {
  test(`a Service whose host would be no name is rejected: ${JSON.stringify(metadata)}`, () => {
    const { objects, problems, rejected } = reduce(serviceObject('cart', {}, metadata), OPTIONS);
    assert.deepEqual([objects, rejected.length], [[], 1]);
    assert.match(problems[0]?.reason ?? '', /^metadata\.(name|namespace): expected a DNS label/);
  });
}

test('of many wrong fields three are told', () => {
  const ports = [{ port: 0 }, { port: 0 }, { port: 0 }, { port: 0 }, { port: 0 }];
  const { problems } = reduce(serviceObject('cart', { ports }), OPTIONS);
  assert.match(problems[0]?.reason ?? '', /^spec\.ports\[0\].*ports\[1\].*ports\[2\][^[]*; and 2 more$/);
});
