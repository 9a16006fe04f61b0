import { Command } from 'commander';
import type { Graph } from '../core/answer.ts';
import { addClientOptions, type ClientOptions } from './client-options.ts';
import { ControllerClient } from './controller-client.ts';
import { addExamples } from './examples.ts';
import { renderDot } from './graph-dot.ts';
import { renderMermaid } from './graph-mermaid.ts';
import { destinationParts } from './names.ts';
import { renderData } from './output.ts';
import { stateCell } from './state-cell.ts';
import { renderTable } from './table.ts';
import type { Terminal } from './terminal.ts';
import { whyNoEdges } from './why-empty.ts';

type Format = 'table' | 'json' | 'yaml' | 'dot' | 'mermaid';

function graphTable({ edges }: Graph, terminal: Terminal): string {
  return renderTable(
    ['FROM', 'TO', 'PORT', 'PROTO', 'STATE'],
    edges.map((edge) => {
      const destination = destinationParts(edge.to);
      const to = destination.kind === 'Service' ? destination.host : edge.to;
      return [edge.from, to, `${edge.port}`, edge.protocol, stateCell(edge, terminal)];
    }),
  );
}

function render(graph: Graph, format: Format, terminal: Terminal): string {
  switch (format) {
    case 'table':
      return graphTable(graph, terminal);
    case 'dot':
      return renderDot(graph);
    case 'mermaid':
      return renderMermaid(graph);
    default:
      return renderData(format, graph);
  }
}

async function showGraph({ server, namespace, output }: ClientOptions<Format>, terminal: Terminal): Promise<void> {
  const client = new ControllerClient(server);
  const graph = await client.get('Graph', 'graph', { namespace });
  if (graph.edges.length > 0 || output !== 'table') terminal.out(render(graph, output, terminal));
  if (graph.edges.length === 0) terminal.message(whyNoEdges(await client.get('MeshStatus', 'status'), namespace));
}

/** `lazyscope graph`: who depends on whom, for people, programs and pictures. */
export function graphCommand(terminal: Terminal): Command {
  const command = new Command('graph')
    .alias('g')
    .summary('who depends on whom, also as a picture')
    .description(
      'Prints the dependency graph. In pictures a full line is direct, a dashed one is on its way, a dotted one stays ' +
        'on the egress. -n narrows to edges that start in a namespace.',
    );
  addClientOptions(command, ['table', 'json', 'yaml', 'dot', 'mermaid']);
  addExamples(command, [
    ['graph -n shop', 'one namespace'],
    ['graph -o dot | dot -Tsvg > graph.svg', 'a picture by Graphviz'],
    ['graph -o mermaid', 'a picture in Markdown'],
  ]);
  return command.action((options: ClientOptions<Format>) => showGraph(options, terminal));
}
