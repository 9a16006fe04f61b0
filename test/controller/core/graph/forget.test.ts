import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertForgettable } from '../../../../controller/core/graph/forget.ts';
import type { PortProtocol } from '../../../../controller/core/model.ts';

const CART = 'shop/cart.shop.svc.cluster.local';
const ports = (...protocols: PortProtocol[]) =>
  protocols.map((protocol, index) => ({ name: '', port: 80 + index, protocol }));

const FORGETTABLE: readonly (readonly PortProtocol[])[] = [['HTTP'], ['HTTP', 'HTTP2', 'GRPC'], []];

for (const protocols of FORGETTABLE) {
  test(`a service with ports ${protocols.join(', ') || '(none)'} may be forgotten`, () => {
    assert.doesNotThrow(() => assertForgettable(CART, ports(...protocols), true));
  });
}

const CUTTING: readonly (readonly [protocols: readonly PortProtocol[], why: string])[] = [
  [['TCP'], 'its port 80 is declared TCP'],
  [['HTTP', 'TLS'], 'its port 81 is declared TLS'],
  [['HTTP', 'Auto'], 'its port 81 declares no protocol'],
];

for (const [protocols, why] of CUTTING) {
  test(`a service with ports ${protocols.join(', ')} stays: ${why}`, () => {
    assert.throws(() => assertForgettable(CART, ports(...protocols), true), {
      code: 'InvalidConfiguration',
      message: `${CART} stays in the scope: ${why}, and leaving the scope would cut the connections open on it.`,
    });
  });
}

test('in direct mode nothing is forgotten', () => {
  assert.throws(() => assertForgettable(CART, ports('HTTP'), false), {
    code: 'InvalidConfiguration',
    message: 'In direct mode nothing is forgotten: start the controller with --mode istio.',
  });
});
