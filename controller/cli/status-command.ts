import { Command } from 'commander';
import { addClientOptions, type ClientOptions } from './client-options.ts';
import { ControllerClient } from './controller-client.ts';
import { addExamples } from './examples.ts';
import { renderData } from './output.ts';
import { isReady, meshLine, remarks, statusTable } from './status-text.ts';
import type { Terminal } from './terminal.ts';
import { whyNoProxies, whyNoWorkloads } from './why-empty.ts';

type Format = 'table' | 'json' | 'yaml';

async function showStatus({ server, namespace, output }: ClientOptions<Format>, terminal: Terminal): Promise<void> {
  const client = new ControllerClient(server);
  const [status, { items }] = await Promise.all([
    client.get('MeshStatus', 'status'),
    client.get('WorkloadList', 'workloads', { namespace }),
  ]);
  if (!isReady(status)) terminal.exitCode = 1;
  if (output !== 'table') {
    terminal.out(renderData(output, { ...status, items }));
    return;
  }
  terminal.out(`${meshLine(status)}\n`);
  if (items.length === 0) terminal.message(whyNoWorkloads(status, namespace));
  else if (items.some(({ proxies }) => proxies.length > 0)) terminal.out(`\n${statusTable(items, terminal)}`);
  else if (status.unknownProxies.length === 0) terminal.message(whyNoProxies(namespace));
  for (const remark of remarks(status, items)) terminal.message(remark);
}

/** `lazyscope status`: the mesh in one line, then one line for each connected Envoy. */
export function statusCommand(terminal: Terminal): Command {
  const command = new Command('status')
    .alias('st')
    .summary('the mesh at a glance, and every connected Envoy')
    .description(
      'Prints the mesh in one line, then one line for each connected Envoy, those that are not in sync first. ' +
        'CLUSTERS is what it holds, of what it would hold without Lazyscope. Exits with 1 when the controller is not ready.',
    );
  addClientOptions(command, ['table', 'json', 'yaml']);
  addExamples(command, [
    ['status', 'all namespaces'],
    ['status -n shop -o json', 'one namespace, for programs'],
  ]);
  return command.action((options: ClientOptions<Format>) => showStatus(options, terminal));
}
