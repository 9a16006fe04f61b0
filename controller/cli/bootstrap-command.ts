import { Command, InvalidArgumentError, Option } from 'commander';
import { addClientOptions, type ClientOptions } from './client-options.ts';
import { ControllerClient } from './controller-client.ts';
import { addExamples } from './examples.ts';
import { findWorkload } from './find-workload.ts';
import { renderData } from './output.ts';
import type { Terminal } from './terminal.ts';
import { parseWorkloadName, type WorkloadName } from './workload-name.ts';

interface BootstrapOptions extends ClientOptions<'yaml' | 'json'> {
  readonly pod?: string;
  readonly controller?: string;
  readonly egress?: string;
  readonly adminPort?: number;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a port number from 1 to 65535.');
}

async function printBootstrap(name: WorkloadName, options: BootstrapOptions, terminal: Terminal): Promise<void> {
  const client = new ControllerClient(options.server);
  const found = await findWorkload(client, name, options.namespace);
  const bootstrap = await client.getObject(`workloads/${found.report.workload}/bootstrap`, {
    pod: options.pod ?? found.pod,
    controller: options.controller,
    egress: options.egress,
    admin: options.adminPort?.toString(),
  });
  terminal.out(renderData(options.output, bootstrap));
}

/** `lazyscope bootstrap`: the file that a pod starts its Envoy with. */
export function bootstrapCommand(terminal: Terminal): Command {
  const command = new Command('bootstrap')
    .summary('the configuration that an Envoy starts with')
    .description(
      'Prints the Envoy bootstrap of one pod. An Envoy started with it works through the egress even while no controller ' +
        'runs, and turns lazy-direct when it finds one.',
    )
    .argument('<workload>', 'namespace/Kind/name, deploy/cart.shop, or <pod>.<namespace>', parseWorkloadName)
    .option('--pod <name>', 'which pod, when the workload has several')
    .option(
      '--controller <address>',
      "ADDRESS:PORT of the controller as the pod reaches it (default: the controller's)",
    )
    .option(
      '--egress <addresses>',
      "ADDRESS:PORT[,...] of the egress as the pod reaches it (default: the controller's)",
    )
    .addOption(new Option('--admin-port <port>', "port of Envoy's admin interface on 127.0.0.1").argParser(parsePort));
  addClientOptions(command, ['yaml', 'json']);
  addExamples(command, [
    ['bootstrap deploy/cart.shop > envoy.yaml', 'then: envoy -c envoy.yaml'],
    ['bootstrap cart-55c8-x2x4z.shop --controller 10.0.0.1:15010', 'one pod, another way to the controller'],
  ]);
  return command.action((name: WorkloadName, options: BootstrapOptions) => printBootstrap(name, options, terminal));
}
