import { Command } from 'commander';
import { LazyscopeError } from '../core/error.ts';
import { addClientOptions, type ClientOptions } from './client-options.ts';
import { ControllerClient } from './controller-client.ts';
import { addExamples } from './examples.ts';
import { findWorkload } from './find-workload.ts';
import { renderData } from './output.ts';
import { leadsTo } from './service-name.ts';
import { printable, type Terminal } from './terminal.ts';
import { parseWorkloadName, type WorkloadName } from './workload-name.ts';

interface ForgetOptions extends ClientOptions<'text' | 'json' | 'yaml'> {
  readonly to: string;
}

async function forget(name: WorkloadName, options: ForgetOptions, terminal: Terminal): Promise<void> {
  const { server, namespace, output, to } = options;
  const client = new ControllerClient(server);
  const { report } = await findWorkload(client, name, namespace);
  const { edges } = await client.get('Workload', `workloads/${report.workload}`);
  const services = new Set(edges.filter(leadsTo(to)).flatMap((edge) => (edge.to.includes('/') ? edge.to : [])));
  if (services.size === 0) {
    throw new LazyscopeError(
      'NotFound',
      `${report.workload} has no edge to a service "${to}"; "lazyscope edges" lists all.`,
    );
  }
  for (const service of services) {
    const answer = await client.post('Forgotten', `workloads/${report.workload}/forget`, { service });
    const text = `${report.workload} forgets ${service}: the egress carries its next use, which learns it again.`;
    terminal.out(output === 'text' ? `${printable(text)}\n` : renderData(output, answer));
  }
}

/** `lazyscope forget`: takes a learned service out of a workload's scope, without failing a request. */
export function forgetCommand(terminal: Terminal): Command {
  const command = new Command('forget')
    .summary('take a learned service out of the scope of a workload')
    .description(
      'Takes a service out of the scope of a workload in two phases, so that no request fails. Its next use learns it ' +
        'again. Refused for services with a TCP or undeclared port: that would cut their open connections. Istio mode only.',
    )
    .argument(
      '<workload>',
      'namespace/Kind/name, deploy/cart.shop, <pod>.<namespace>, or just a name',
      parseWorkloadName,
    )
    .requiredOption('--to <service>', 'the service: payments.bank, payments, a full host');
  addClientOptions(command, ['text', 'json', 'yaml']);
  addExamples(command, [['forget deploy/checkout.shop --to payments.bank', 'one learned service']]);
  return command.action((name: WorkloadName, options: ForgetOptions) => forget(name, options, terminal));
}
