import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, CommanderError } from 'commander';
import { type EgressConfig, egressConfig, egressOptions, nodeId } from '../../egress/config.ts';

function parse(args: readonly string[]): EgressConfig {
  const command = new Command('egress').exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of egressOptions) command.addOption(option);
  return egressConfig(command.parse([...args], { from: 'user' }).opts());
}

const REQUIRED = ['--controller', 'controller.lazyscope:15010'];

test('only the controller has to be told', () => {
  const config = parse(REQUIRED);
  assert.deepEqual(config.controller, { address: 'controller.lazyscope', port: 15_010 });
  assert.deepEqual(config.listen, { address: '0.0.0.0', port: 15_080 });
  assert.deepEqual(config.httpListen, { address: '127.0.0.1', port: 15_081 });
  assert.ok(config.sourceCidrs.includes('10.0.0.0/8'));
  assert.deepEqual(config.linkLocalAllow, []);
  assert.deepEqual(
    [config.maxConnections, config.maxConnectionsPerSource, config.maxHalfOpenPerSource, config.bufferBytes],
    [50_000, 5_000, 500, 65_536],
  );
  assert.equal(config.reportIntervalSeconds, 60);
  assert.deepEqual([config.tlsCertificates, config.trustDomainAliases], [undefined, []]);
  assert.equal(Object.isFrozen(config), true);
  assert.throws(() => parse([]), /--controller/);
});

test('the environment sets what flags do not', (t) => {
  process.env['LAZYSCOPE_CONTROLLER'] = '10.0.0.1:1';
  process.env['LAZYSCOPE_EGRESS_LISTEN'] = '[::]:2';
  t.after(() => {
    delete process.env['LAZYSCOPE_CONTROLLER'];
    delete process.env['LAZYSCOPE_EGRESS_LISTEN'];
  });
  assert.deepEqual(parse([]).controller, { address: '10.0.0.1', port: 1 });
  assert.deepEqual(parse([]).listen, { address: '::', port: 2 });
  assert.deepEqual(parse(REQUIRED).controller.port, 15_010);
});

test('the node id names the egress as Istio names nodes', () => {
  const identity = ['--address', '10.0.0.9', '--pod', 'egress-0', '--namespace', 'mesh', '--cluster-domain', 'example'];
  assert.equal(nodeId(parse([...REQUIRED, ...identity])), 'egress~10.0.0.9~egress-0.mesh~mesh.svc.example');
  assert.match(nodeId(parse([...REQUIRED, '--listen', '10.0.0.8:1'])), /^egress~10\.0\.0\.8~[a-z0-9.-]+\.lazyscope~/);
});

test('a wrong value is refused with its flag and what it must be', () => {
  const table: readonly [string, string, RegExp][] = [
    ['--controller', 'nowhere', /HOST:PORT|ADDRESS:PORT/],
    ['--listen', 'localhost:1', /IP address/],
    ['--listen', '10.0.0.1:70000', /65535/],
    ['--source-cidrs', '10.0.0.0/8,10.0.0.1', /"10\.0\.0\.1" is no CIDR/],
    ['--link-local-allow', '169.254.0.0/99', /CIDR/],
    ['--max-connections', '0', /whole number/],
    ['--max-connections', '1.5', /whole number/],
    ['--report-interval', 'soon', /seconds/],
    ['--report-interval', '0', /0\.1 seconds/],
    ['--drain-seconds', '-1', /seconds/],
    ['--address', 'egress.example', /IP address/],
    ['--namespace', 'a.b', /without dots/],
    ['--pod', 'Egress~0', /lower case/],
    ['--mode', 'ambient', /direct, istio/],
    ['--trust-domain-aliases', 'old.example,Old', /"Old" is no trust domain/],
    ['--controller-identity', 'lazyscope-controller', /spiffe:\/\//],
  ];
  for (const [flag, value, reason] of table) {
    assert.throws(
      () => parse([...REQUIRED, flag, value]),
      (error) => error instanceof CommanderError && error.message.includes(flag) && reason.test(error.message),
      `${flag} ${value}`,
    );
  }
});

test('times may be written with their unit', () => {
  const config = parse([...REQUIRED, '--report-interval', '90s', '--drain-seconds', '0']);
  assert.deepEqual([config.reportIntervalSeconds, config.drainSeconds], [90, 0]);
});
