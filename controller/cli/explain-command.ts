import { Command } from 'commander';
import type { Workload } from '../core/answer.ts';
import { addClientOptions, type ClientOptions } from './client-options.ts';
import { ControllerClient } from './controller-client.ts';
import { addExamples } from './examples.ts';
import { bytesOf, explainEdge } from './explain-edge.ts';
import { explainMissing, explainWorkload } from './explain-workload.ts';
import { findWorkload } from './find-workload.ts';
import { renderData } from './output.ts';
import { leadsTo } from './service-name.ts';
import { printable, type Terminal } from './terminal.ts';
import { parseWorkloadName, type WorkloadName } from './workload-name.ts';

interface ExplainOptions extends ClientOptions<'text' | 'json' | 'yaml'> {
  readonly to?: string;
}

/** A paragraph: its first line stands out, the others are indented below it. */
function paragraph(lines: readonly string[], terminal: Terminal): string {
  const [first = '', ...rest] = lines.map(printable);
  return [terminal.style('bold', first), ...rest.map((line) => `  ${line}`), ''].join('\n');
}

function explanation(workload: Workload, { to }: ExplainOptions, terminal: Terminal): string {
  const carriedBytes = workload.edges.reduce((sum, edge) => sum + bytesOf(edge), 0);
  const edges = to === undefined ? workload.edges : workload.edges.filter(leadsTo(to));
  const paragraphs = edges.map((edge) => explainEdge(edge, terminal.now(), carriedBytes));
  if (to === undefined) paragraphs.unshift(explainWorkload(workload));
  else if (paragraphs.length === 0) paragraphs.push(explainMissing(workload, to));
  return paragraphs.map((lines) => paragraph(lines, terminal)).join('\n');
}

async function explain(name: WorkloadName, options: ExplainOptions, terminal: Terminal): Promise<void> {
  const { server, namespace, output, to } = options;
  const client = new ControllerClient(server);
  const { report } = await findWorkload(client, name, namespace);
  const found = await client.get('Workload', `workloads/${report.workload}`);
  const workload = to === undefined ? found : { ...found, edges: found.edges.filter(leadsTo(to)) };
  if (to !== undefined && workload.edges.length === 0 && workload.mode === 'Enforce') terminal.exitCode = 1;
  terminal.out(output === 'text' ? explanation(found, options, terminal) : renderData(output, workload));
}

/** `lazyscope explain`: why a workload has, or lacks, what it has. */
export function explainCommand(terminal: Terminal): Command {
  const command = new Command('explain')
    .summary('why a workload has a dependency, or lacks it')
    .description(
      'Says why a workload has each of its dependencies, since when, and what keeps others on the egress. ' +
        'With --to exits with 1 when a lazy workload has no such edge.',
    )
    .argument(
      '<workload>',
      'namespace/Kind/name, deploy/cart.shop, <pod>.<namespace>, or just a name',
      parseWorkloadName,
    )
    .option('--to <service>', 'only this destination: payments.bank, payments, a full host, an address; with :port');
  addClientOptions(command, ['text', 'json', 'yaml']);
  addExamples(command, [
    ['explain deploy/checkout.shop', 'everything one workload uses'],
    ['explain deploy/checkout.shop --to payments.bank', 'one dependency'],
    ['explain checkout-7d9f-x2x4z.shop', 'the workload of a pod'],
  ]);
  return command.action((name: WorkloadName, options: ExplainOptions) => explain(name, options, terminal));
}
