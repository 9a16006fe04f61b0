import { Command } from 'commander';
import type { EdgeList } from '../core/answer.ts';
import type { EdgeReport } from '../core/report.ts';
import { addClientOptions, type ClientOptions } from './client-options.ts';
import { ControllerClient } from './controller-client.ts';
import { addExamples } from './examples.ts';
import { findWorkload } from './find-workload.ts';
import { destinationParts, shortHost, workloadParts } from './names.ts';
import { renderData } from './output.ts';
import { leadsTo } from './service-name.ts';
import { stateCell } from './state-cell.ts';
import { type Cell, renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { ago, grouped } from './time-text.ts';
import { whyNoEdges } from './why-empty.ts';
import { parseWorkloadName, type WorkloadName } from './workload-name.ts';

interface EdgesOptions extends ClientOptions<'table' | 'json' | 'yaml'> {
  readonly from?: WorkloadName;
  readonly to?: string;
}

function destinationCells(edge: EdgeReport): readonly [name: string, namespace: string] {
  const destination = destinationParts(edge.to);
  if (destination.kind === 'Address') return [edge.to, '-'];
  const { namespace, host } = destination;
  const short = shortHost(host);
  return [short.endsWith(`.${namespace}`) ? short.slice(0, -namespace.length - 1) : short, namespace];
}

function cells(edge: EdgeReport, terminal: Terminal): Cell[] {
  const source = workloadParts(edge.from);
  const [destination, namespace] = destinationCells(edge);
  return [
    `${source.kind}/${source.name}`,
    destination,
    source.namespace,
    namespace,
    `${edge.port}`,
    edge.protocol,
    stateCell(edge, terminal),
    grouped(edge.connections),
    grouped(edge.requests),
    ago(edge.lastSeen, terminal.now()),
  ];
}

function edgeTable(edges: readonly EdgeReport[], terminal: Terminal): string {
  return renderTable(
    ['SRC', 'DST', 'SRC_NS', 'DST_NS', 'PORT', 'PROTO', 'STATE', 'CONNS', 'REQS', 'LAST'],
    edges.map((edge) => cells(edge, terminal)),
  );
}

async function readEdges(client: ControllerClient, { namespace, from, to }: EdgesOptions): Promise<EdgeList> {
  const source = from && (await findWorkload(client, from, namespace));
  const query = source ? { from: source.report.workload } : { namespace };
  const list = await client.get('EdgeList', 'edges', query);
  return to === undefined ? list : { ...list, items: list.items.filter(leadsTo(to)) };
}

async function showEdges(options: EdgesOptions, terminal: Terminal): Promise<void> {
  const client = new ControllerClient(options.server);
  const list = await readEdges(client, options);
  if (options.output !== 'table') terminal.out(renderData(options.output, list));
  else if (list.items.length > 0) terminal.out(edgeTable(list.items, terminal));
  else terminal.message(whyNoEdges(await client.get('MeshStatus', 'status'), options.namespace));
}

/** `lazyscope edges`: everything learned, one line each. */
export function edgesCommand(terminal: Terminal): Command {
  const command = new Command('edges')
    .summary('what was learned: one line for each edge')
    .description(
      'Prints every learned edge. CONNS, REQS and LAST tell what crossed the egress; direct traffic is not counted. ' +
        '-n narrows to edges that start in a namespace.',
    )
    .option('--from <workload>', 'only edges of this workload, for example deploy/cart.shop', parseWorkloadName)
    .option('--to <service>', 'only edges to this service, for example redis.shop');
  addClientOptions(command, ['table', 'json', 'yaml']);
  addExamples(command, [
    ['edges -n shop', 'what the workloads of one namespace use'],
    ['edges --to redis.shop', 'who uses a service'],
  ]);
  return command.action((options: EdgesOptions) => showEdges(options, terminal));
}
