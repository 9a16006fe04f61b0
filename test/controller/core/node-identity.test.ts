import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseNodeId } from '../../../controller/core/node-identity.ts';

describe('a node id', () => {
  test('names kind, address, pod, namespace and domain', () => {
    const id = 'sidecar~10.0.0.7~cart-5d4f-x2.shop~shop.svc.cluster.local';
    assert.deepEqual(parseNodeId(id), {
      node: {
        id,
        kind: 'sidecar',
        address: '10.0.0.7',
        pod: 'cart-5d4f-x2',
        namespace: 'shop',
        domain: 'shop.svc.cluster.local',
      },
    });
  });

  test('may be an egress, have an IPv6 address and dots in the pod', () => {
    const parsed = parseNodeId('egress~fd00::7~lazyscope.egress.0.lazyscope~lazyscope.svc.cluster.local');
    assert.ok('node' in parsed);
    assert.deepEqual(
      [parsed.node.kind, parsed.node.address, parsed.node.pod, parsed.node.namespace],
      ['egress', 'fd00::7', 'lazyscope.egress.0', 'lazyscope'],
    );
  });

  for (const [id, field] of [
    ['', 'kind'],
    ['router~10.0.0.7~a.b~b.svc.cluster.local', 'kind'],
    ['sidecar', 'address'],
    ['sidecar~cart~a.b~b.svc.cluster.local', 'address'],
    ['sidecar~10.0.0.256~a.b~b.svc.cluster.local', 'address'],
    ['sidecar~10.0.0.7~cart~shop.svc.cluster.local', 'pod'],
    ['sidecar~10.0.0.7~.shop~shop.svc.cluster.local', 'pod'],
    ['sidecar~10.0.0.7~cart.~shop.svc.cluster.local', 'pod'],
    ['sidecar~10.0.0.7~cart.shop', 'domain'],
    ['sidecar~10.0.0.7~cart.shop~d~more', 'domain'],
  ] as const) {
    test(`"${id}" is refused for its ${field}`, () => {
      const parsed = parseNodeId(id);
      assert.ok('field' in parsed);
      assert.equal(parsed.field, field);
      assert.ok(parsed.reason.includes(id));
    });
  }

  test('of any length is named shortly', () => {
    const parsed = parseNodeId('x'.repeat(100_000));
    assert.ok('field' in parsed && parsed.reason.length < 500);
  });
});
