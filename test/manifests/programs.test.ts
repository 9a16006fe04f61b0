/** What the manifests start is what our programs understand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command, type Option } from 'commander';
import { controllerConfig, controllerOptions } from '../../controller/config.ts';
import { egressConfig, egressOptions } from '../../egress/config.ts';
import { manifestOf, readManifests } from '../mesh/bed/manifests.ts';

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
}

function container(deployment: string): Container {
  const { spec } = manifestOf(readManifests('istio'), 'Deployment', deployment) as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
  };
  return spec.template.spec.containers[0];
}

/** What the program makes of its arguments. */
function parsed<T>(name: string, options: readonly Option[], { args }: Container): T {
  const [command = '', ...flags] = args;
  assert.equal(command, name);
  const program = new Command(name).exitOverride();
  for (const option of options) program.addOption(option);
  return program.parse(flags, { from: 'user' }).opts() as T;
}

/** Node's own are the program's, too. */
function assertKnown({ env }: Container, options: readonly Option[]): void {
  const known = ['NODE_OPTIONS', ...options.map(({ envVar }) => envVar)];
  for (const { name } of env) assert.ok(known.includes(name), `${name} is no environment variable of the program`);
}

test('The controller understands its arguments, and listens on the ports of its container', () => {
  const of = container('lazyscope-controller');
  assertKnown(of, controllerOptions);
  const config = controllerConfig(parsed('controller', controllerOptions, of));
  assert.equal(config.mode, 'istio');
  assert.equal(config.source, 'kubernetes');
  assert.ok(config.tlsCertificates);
  assert.deepEqual(
    of.ports.map(({ containerPort }) => containerPort),
    [config.grpcListen.port, config.httpListen.port],
  );
});

test('The egress understands its arguments, and listens on the ports of its container', () => {
  const of = container('lazyscope-egress');
  assertKnown(of, egressOptions);
  const config = egressConfig(parsed('egress', egressOptions, of));
  assert.equal(config.mode, 'istio');
  assert.deepEqual(config.controller, { address: 'lazyscope-controller.lazyscope.svc', port: 15010 });
  assert.deepEqual(
    of.ports.map(({ containerPort }) => containerPort),
    [config.listen.port, config.httpListen.port],
  );
});
