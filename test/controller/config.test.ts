import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command, CommanderError } from 'commander';
import { type ControllerConfig, controllerConfig, controllerOptions } from '../../controller/config.ts';
import { LazyscopeError } from '../../controller/core/error.ts';

function parse(...args: readonly string[]): ControllerConfig {
  const command = new Command('controller').exitOverride().configureOutput({ writeErr: () => undefined });
  for (const option of controllerOptions) command.addOption(option);
  command.parse([...args], { from: 'user' });
  return controllerConfig(command.opts());
}

function isUsageError(error: unknown): error is Error {
  return error instanceof CommanderError || (error instanceof LazyscopeError && error.code === 'InvalidConfiguration');
}

const REQUIRED = ['--path', 'mesh', '--egress', '10.0.0.9:15080'];

describe("the controller's settings", () => {
  it('have defaults for all but the path and the egress', () => {
    const config = parse(...REQUIRED);
    assert.deepEqual(config.grpcListen, { address: '0.0.0.0', port: 15010 });
    assert.deepEqual(config.httpListen, { address: '127.0.0.1', port: 15014 });
    assert.deepEqual(config.advertise, { address: '127.0.0.1', port: 15010 });
    assert.equal(config.clusterDomain, 'cluster.local');
    assert.ok(Object.isFrozen(config));
  });

  it('take several egresses, IPv6 in brackets', () => {
    const { egress } = parse('--path', 'mesh', '--egress', '10.0.0.9:15080, [fd00::1]:15080');
    assert.deepEqual(egress, [
      { address: '10.0.0.9', port: 15080 },
      { address: 'fd00::1', port: 15080 },
    ]);
  });

  it('take ports that are direct, and the ranges of the mesh', () => {
    const flags = ['--external-direct-ports', '443, 9000', '--mesh-ranges', '10.96.0.0/16, 10.244.0.0/16'];
    assert.deepEqual(parse(...REQUIRED, ...flags).externalDirect, {
      ports: [443, 9000],
      meshRanges: ['10.96.0.0/16', '10.244.0.0/16'],
    });
    assert.equal(parse(...REQUIRED).externalDirect, undefined);
  });

  const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['--egress', '10.0.0.9:15080'], /--path/],
    [['--path', 'mesh'], /--egress/],
    [['--path', 'mesh', '--egress', 'nonsense'], /ADDRESS:PORT/],
    [['--path', 'mesh', '--egress', '10.0.0.9:15080,10.0.0.10:0'], /from 1 to 65535/],
    [[...REQUIRED, '--advertise', '10.0.0.8:0'], /from 1 to 65535/],
    [[...REQUIRED, '--grpc-listen', '0.0.0.0:99999'], /65535/],
    [[...REQUIRED, '--store', 'etcd'], /sqlite/],
    [[...REQUIRED, '--cluster-domain', 'Cluster local'], /DNS name/],
    [[...REQUIRED, '--drain-seconds', 'soon'], /seconds/],
    [[...REQUIRED, '--drain-seconds', ''], /seconds/],
    [[...REQUIRED, '--mode', 'istio'], /--source kubernetes/],
    [[...REQUIRED, '--external-direct-ports', '443'], /needs --mesh-ranges/],
    [[...REQUIRED, '--mesh-ranges', '10.96.0.0/16'], /needs --external-direct-ports/],
    [[...REQUIRED, '--external-direct-ports', '443,https'], /port numbers/],
    [[...REQUIRED, '--external-direct-ports', '0'], /port numbers/],
    [[...REQUIRED, '--mesh-ranges', '10.96.0.0'], /CIDR/],
    [[...REQUIRED, '--mesh-ranges', '10.96.0.0/33'], /CIDR/],
    [[...REQUIRED, '--mesh-ranges', '0.0.0.0/0'], /CIDR/],
    [[...REQUIRED, '--mesh-ranges', 'fd00::/8'], /CIDR/],
  ];
  for (const [args, message] of wrong) {
    it(`refuse ${args.join(' ')}`, () => {
      assert.throws(
        () => parse(...args),
        (error) => isUsageError(error) && message.test(error.message),
      );
    });
  }
});
