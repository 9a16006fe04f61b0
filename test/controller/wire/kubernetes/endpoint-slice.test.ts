import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice } from '../../../../controller/core/model.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import { endpointSliceObject, type KubernetesObject } from '../../../support/kubernetes-objects.ts';

const OPTIONS = { clusterDomain: 'cluster.local' };

function reduced(parts: KubernetesObject): EndpointSlice {
  const { objects, problems } = reduce(endpointSliceObject('cart', parts), OPTIONS);
  assert.deepEqual(problems, []);
  const [object] = objects;
  assert(object?.kind === 'EndpointSlice');
  return object;
}

test('an EndpointSlice keeps its Service, ports and endpoints', () => {
  assert.deepEqual(reduced({}), {
    kind: 'EndpointSlice',
    namespace: 'shop',
    name: 'cart-abc',
    service: 'cart',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: '10.1.0.10',
  });
});

/** conditions of an endpoint, ready. Kubernetes: "a nil value should be interpreted as true". */
const READY: readonly (readonly [KubernetesObject | null | undefined, boolean])[] = [
  [{ ready: true }, true],
  [{ ready: false }, false],
  [{ ready: null }, true],
  [{}, true],
  [null, true],
  [undefined, true],
  [{ ready: false, serving: true, terminating: true }, false],
];

for (const [conditions, ready] of READY) {
  test(`an endpoint with conditions ${JSON.stringify(conditions)} is ${ready ? 'ready' : 'not ready'}`, () => {
    const { endpoints } = reduced({ endpoints: [{ addresses: ['10.1.0.10'], conditions }] });
    assert.equal(endpoints, ready ? '10.1.0.10' : '10.1.0.10!');
  });
}

test('endpoints keep their order, and each of their addresses', () => {
  const { endpoints } = reduced({
    endpoints: [
      { addresses: ['10.1.0.12', '10.1.0.11'], conditions: { ready: false } },
      { addresses: ['10.1.0.10'], hostname: 'db-0' },
    ],
  });
  assert.equal(endpoints, '10.1.0.12! 10.1.0.11! 10.1.0.10');
});

test('endpoints and ports may be null', () => {
  const slice = reduced({ endpoints: null, ports: null });
  assert.deepEqual([slice.endpoints, slice.ports], ['', []]);
});

test('IPv6 addresses come out canonical', () => {
  const { endpoints } = reduced({ addressType: 'IPv6', endpoints: [{ addresses: ['FD00:0::0A'] }] });
  assert.equal(endpoints, 'fd00::a');
});

test('UDP ports and ports without a number are dropped', () => {
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'any', port: null },
    { port: 53, protocol: 'TCP' },
  ];
  assert.deepEqual(reduced({ ports }).ports, [{ name: '', port: 53 }]);
});

const IGNORED: readonly (readonly [KubernetesObject, RegExp])[] = [
  [{ addressType: 'FQDN', endpoints: [{ addresses: ['db.example.com'] }] }, /FQDN have names/],
  [{ metadata: { name: 'own', namespace: 'shop' } }, /no label kubernetes\.io\/service-name/],
];

for (const [parts, reason] of IGNORED) {
  test(`an EndpointSlice is ignored without a problem: ${reason.source}`, () => {
    const { objects, problems, ignored } = reduce(endpointSliceObject('cart', parts), OPTIONS);
    assert.deepEqual([objects, problems], [[], []]);
    assert.match(ignored[0]?.reason ?? '', reason);
  });
}

const WRONG: readonly (readonly [KubernetesObject, string])[] = [
  [{ addressType: 'IPv5' }, 'addressType: expected IPv4, IPv6 or FQDN'],
  [{ endpoints: [{ addresses: ['x'] }] }, 'endpoints[0].addresses[0]: expected an IPv4 or IPv6 address, received "x"'],
  [{ endpoints: [{}] }, 'endpoints[0].addresses: expected array, received undefined'],
];

for (const [parts, reason] of WRONG) {
  test(`a wrong EndpointSlice is rejected by name and field: ${reason}`, () => {
    const { problems } = reduce(endpointSliceObject('cart', parts), OPTIONS);
    assert.deepEqual(problems, [{ subject: 'EndpointSlice shop/cart-abc', reason }]);
  });
}
