import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NEVER_RELAYED_CIDRS, NeverRelay } from '../../egress/never-relay.ts';
import { SIDECAR_PORTS } from '../../egress/own-installation.ts';

function neverRelay(controllerHost = '10.9.9.9', linkLocalAllow: readonly string[] = []): NeverRelay {
  const rule = new NeverRelay({
    cidrs: NEVER_RELAYED_CIDRS,
    linkLocalAllow,
    ownAddresses: ['10.8.8.8', '0.0.0.0'],
    controllerHost,
  });
  rule.addOwnPort(15_080);
  return rule;
}

test('what is local, the egress and the controller are never relayed', () => {
  const rule = neverRelay();
  const table: readonly [string, number, boolean][] = [
    ['127.0.0.1', 80, true],
    ['127.9.9.9', 80, true],
    ['0.0.0.0', 80, true],
    ['::', 80, true],
    ['::1', 80, true],
    ['224.0.0.1', 80, true],
    ['239.255.255.250', 1900, true],
    ['255.255.255.255', 80, true],
    ['ff02::1', 80, true],
    ['169.254.169.254', 80, true],
    ['fe80::1', 80, true],
    ['10.9.9.9', 80, true],
    ['10.8.8.8', 15_080, true],
    ['10.8.8.8', 80, false],
    ['10.0.0.1', 15_080, false],
    ['10.0.0.1', 0, true],
    ['203.0.113.1', 443, false],
    ['2001:db8::1', 443, false],
  ];
  for (const [address, port, expected] of table) {
    assert.equal(rule.has({ address, port }), expected, `${address} ${port}`);
  }
});

test('beside a sidecar its ports of this pod are not relayed to either', () => {
  const own = { cidrs: [], linkLocalAllow: [], ownAddresses: ['10.8.8.8'], controllerHost: '10.9.9.9' };
  const rule = new NeverRelay({ ...own, ownPorts: SIDECAR_PORTS });
  assert.equal(rule.has({ address: '10.8.8.8', port: 15_006 }), true);
  assert.equal(rule.has({ address: '10.8.8.9', port: 15_006 }), false);
  assert.equal(new NeverRelay(own).has({ address: '10.8.8.8', port: 15_006 }), false);
});

test('link-local addresses can be allowed', () => {
  const rule = neverRelay('10.9.9.9', ['169.254.169.254/32']);
  assert.equal(rule.has({ address: '169.254.169.254', port: 80 }), false);
  assert.equal(rule.has({ address: '169.254.170.2', port: 80 }), true);
});

test('a controller that is given by name is looked up', async () => {
  const rule = new NeverRelay({ cidrs: [], linkLocalAllow: [], ownAddresses: [], controllerHost: 'localhost' });
  assert.equal(rule.has({ address: '127.0.0.1', port: 80 }), false);
  await rule.refresh();
  assert.equal(rule.has({ address: '127.0.0.1', port: 80 }), true);
});

test('a name that cannot be looked up is no failure', async () => {
  const rule = neverRelay('controller.invalid');
  await rule.refresh();
  assert.equal(rule.has({ address: '203.0.113.1', port: 443 }), false);
});
