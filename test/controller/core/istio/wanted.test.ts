import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pins, type ScopeLimits, wantedKeys } from '../../../../controller/core/istio/wanted.ts';
import { virtualService } from '../../../support/policy-objects.ts';
import { EGRESS, keyOf } from './istio-world.ts';

const [cart, web] = [keyOf('cart'), keyOf('web')];
const httpPorts: Readonly<Record<string, readonly number[]>> = { [cart]: [80], [web]: [80, 8080] };
const view = {
  virtualServicesFor: (host: string) =>
    host.startsWith('cart.') ? [virtualService(host, { namespace: 'routes' }), virtualService(host)] : [],
  httpPortsOf: (service: string) => httpPorts[service] ?? [],
};

const cases: readonly {
  readonly what: string;
  readonly used: readonly string[];
  readonly limits?: Partial<ScopeLimits>;
  readonly wanted: readonly string[];
}[] = [
  { what: 'a service with open ports', used: [keyOf('db')], wanted: [keyOf('db')] },
  {
    what: 'the namespaces of the VirtualServices of its host',
    used: [cart],
    wanted: ['routes/cart.shop.svc.cluster.local', cart],
  },
  { what: 'no service with an HTTP port that is not open', used: [web], wanted: [] },
  {
    what: 'one with such a port that is routed to already',
    used: [web],
    limits: { routed: new Set([web]) },
    wanted: [web],
  },
  { what: 'one whose ports are open now', used: [web], limits: { openPorts: new Set([80, 8080]) }, wanted: [web] },
  { what: 'a service that does not exist now', used: [keyOf('gone')], wanted: [keyOf('gone')] },
  { what: 'nothing that every sidecar holds anyway', used: [EGRESS], limits: { never: new Set([EGRESS]) }, wanted: [] },
  { what: 'nothing where nothing is used', used: [], wanted: [] },
];

for (const { what, used, limits, wanted } of cases) {
  test(`wanted is ${what}`, () => {
    const all: ScopeLimits = { openPorts: new Set([80]), routed: new Set(), never: new Set(), ...limits };
    assert.deepEqual([...wantedKeys(used, view, all)].sort(), wanted);
  });
}

test('a service with several mixed ports is one pin', () => {
  const ports = [80, 81].map((port) => ({ service: cart, port }));
  assert.deepEqual([...pins(ports)], [cart]);
});
