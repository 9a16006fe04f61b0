import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
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

  for (const address of [
    '10.0.0.7',
    'fd00::7',
    '::',
    '::1',
    'FD00:0:0:0:0:0:0:A',
    '1:2:3:4:5:6:7:8',
    '::ffff:10.0.0.7',
  ]) {
    test(`may have the address ${address}`, () => {
      const parsed = parseNodeId(`sidecar~${address}~cart-0.shop~shop.svc.cluster.local`);
      assert.equal('node' in parsed && parsed.node.address, address);
    });
  }

  for (const [id, field] of [
    ['', 'kind'],
    ['~', 'kind'],
    ['~10.0.0.7~a.b~c', 'kind'],
    ['router~10.0.0.7~a.b~b.svc.cluster.local', 'kind'],
    ['Sidecar~10.0.0.7~a.b~c', 'kind'],
    [' sidecar~10.0.0.7~a.b~c', 'kind'],
    ['\u{feff}sidecar~10.0.0.7~a.b~c', 'kind'],
    ['sidecar', 'address'],
    ['sidecar~~a.b~c', 'address'],
    ['sidecar~cart~a.b~b.svc.cluster.local', 'address'],
    ['sidecar~10.0.0.256~a.b~b.svc.cluster.local', 'address'],
    ['sidecar~10.0.0~a.b~c', 'address'],
    ['sidecar~10.0.0.7.8~a.b~c', 'address'],
    ['sidecar~10.0.0.7:80~a.b~c', 'address'],
    ['sidecar~10.0.0.-7~a.b~c', 'address'],
    ['sidecar~::::~a.b~c', 'address'],
    ['sidecar~:~a.b~c', 'address'],
    ['sidecar~1:2:3:4:5:6:7~a.b~c', 'address'],
    ['sidecar~1:2:3:4:5:6:7:8:9~a.b~c', 'address'],
    ['sidecar~1::2::3~a.b~c', 'address'],
    ['sidecar~1:2:3:4::5:6:7:8~a.b~c', 'address'],
    ['sidecar~12345::~a.b~c', 'address'],
    ['sidecar~:1:2:3:4:5:6:7~a.b~c', 'address'],
    ['sidecar~fe80::1%eth0~a.b~c', 'address'],
    ['sidecar~[fd00::7]~a.b~c', 'address'],
    ['sidecar~10.0.0.7::~a.b~c', 'address'],
    ['sidecar~::10.0.0.256~a.b~c', 'address'],
    ['sidecar~١٠.0.0.7~a.b~c', 'address'],
    ['sidecar~10.0.0.7', 'pod'],
    ['sidecar~10.0.0.7~cart~shop.svc.cluster.local', 'pod'],
    ['sidecar~10.0.0.7~.shop~shop.svc.cluster.local', 'pod'],
    ['sidecar~10.0.0.7~cart.~shop.svc.cluster.local', 'pod'],
    ['sidecar~10.0.0.7~.~c', 'pod'],
    ['sidecar~10.0.0.7~shop/cart.b~c', 'pod'],
    ['sidecar~10.0.0.7~a b.c~d', 'pod'],
    ['sidecar~10.0.0.7~größe.shop~c', 'pod'],
    [`sidecar~10.0.0.7~${'a'.repeat(254)}.b~c`, 'pod'],
    ['sidecar~10.0.0.7~cart.shop', 'domain'],
    ['sidecar~10.0.0.7~cart.shop~', 'domain'],
    ['sidecar~10.0.0.7~cart.shop~d~more', 'domain'],
    ['sidecar~10.0.0.7~cart.shop~d~', 'domain'],
    ['sidecar~10.0.0.7~cart.shop~d e', 'domain'],
  ] as const) {
    test(`"${id.slice(0, 60)}" is refused for its ${field}`, () => {
      const parsed = parseNodeId(id);
      assert.ok('field' in parsed);
      assert.equal(parsed.field, field);
      assert.match(parsed.reason, /; write it like sidecar~10\.0\.0\.7~cart-0\.shop~shop\.svc\.cluster\.local$/);
    });
  }

  for (const [what, hostile] of [
    ['a line break', 'cart\n{"level":60,"msg":"forged"}'],
    ['a carriage return', 'cart\rforged'],
    ['an escape sequence', 'cart\u001b[2J'],
    ['a C1 control', 'cart\u009b2J'],
    ['a Unicode line separator', 'cart\u2028forged'],
    ['a turned direction', 'cart\u202eforged'],
    ['half of a surrogate pair', 'cart\ud800'],
    ['a zero byte', 'cart\0'],
  ] as const) {
    for (const id of [
      `${hostile}~`,
      `sidecar~${hostile}~a.b~c`,
      `sidecar~10.0.0.7~${hostile}.b~c`,
      `egress~::1~a.b~${hostile}`,
    ]) {
      test(`with ${what} is refused and cannot forge what is printed: ${JSON.stringify(id)}`, () => {
        const parsed = parseNodeId(id);
        assert.ok('field' in parsed);
        assert.doesNotMatch(parsed.reason, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
        assert.ok(parsed.reason.includes('cart\ufffd'));
      });
    }
  }

  test('of any length is named shortly', () => {
    const parsed = parseNodeId('x'.repeat(100_000));
    assert.ok('field' in parsed && parsed.reason.length < 500);
  });

  const part = fc.oneof(
    fc.constantFrom(
      'sidecar',
      'egress',
      '10.0.0.7',
      'fd00::7',
      'cart.shop',
      'cart-0.x.shop',
      'shop.svc.cluster.local',
      '',
    ),
    fc.string({ unit: 'binary' }),
    fc.ipV6(),
    fc.domain(),
  );
  const usual = fc.tuple(fc.constantFrom('sidecar', 'egress'), fc.oneof(fc.ipV4(), fc.ipV6()), part, fc.domain());
  const ids = fc.oneof(usual, fc.array(part, { maxLength: 6 })).map((parts) => parts.join('~'));

  test('of any text is a node that says the same again, or a fault that can be printed', () => {
    fc.assert(
      fc.property(ids, (id) => {
        const parsed = parseNodeId(id);
        if ('field' in parsed) {
          assert.ok(parsed.reason.length < 700);
          assert.doesNotMatch(parsed.reason, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
          return;
        }
        const { kind, address, pod, namespace, domain } = parsed.node;
        assert.equal(`${kind}~${address}~${pod}.${namespace}~${domain}`, id);
        assert.match(id, /^[\w.:~-]+$/);
        assert.ok(isIP(address) !== 0, address);
        assert.ok(!namespace.includes('.'));
      }),
      { numRuns: 1_500 },
    );
  });

  test('has an IPv6 address exactly where one is written', () => {
    const groups = fc.array(fc.constantFrom('0', 'f', '12ab', 'ABCD', '', '10.0.0.7', '10.0.0.256', 'g', '00000'), {
      maxLength: 9,
    });
    fc.assert(
      fc.property(groups, (written) => {
        const address = written.join(':');
        fc.pre(address.includes(':'));
        assert.equal('node' in parseNodeId(`sidecar~${address}~a.b~c`), isIP(address) === 6, address);
      }),
      { numRuns: 1_500 },
    );
  });
});
