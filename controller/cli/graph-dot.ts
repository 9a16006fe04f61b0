/** The graph for Graphviz: `lazyscope graph -o dot | dot -Tsvg`. */
import type { EdgeReport, GraphNode, GraphReport } from '../core/report.ts';
import { nodeLabel } from './graph-label.ts';
import { printable } from './terminal.ts';

/** A double-quoted string of the DOT language, in which a backslash also starts label escapes. */
function quoted(text: string): string {
  return `"${printable(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Lines of a label: the escape for a line break stands between them. */
function label(lines: readonly string[]): string {
  return `"${lines.map((line) => quoted(line).slice(1, -1)).join('\\n')}"`;
}

const shapes: Readonly<Record<GraphNode['kind'], string>> = { Workload: 'box', Service: 'ellipse', Address: 'plain' };

function node(graphNode: GraphNode): string {
  return `  ${quoted(graphNode.id)} [label=${label(nodeLabel(graphNode))}, shape=${shapes[graphNode.kind]}];`;
}

function edge({ from, to, port, protocol, state }: EdgeReport): string {
  const style = state === 'active' ? 'solid' : state === 'relayed' ? 'dotted' : 'dashed';
  return `  ${quoted(from)} -> ${quoted(to)} [label=${label([`${port} ${protocol}`])}, style=${style}];`;
}

/** The same graph gives the same text. */
export function renderDot({ nodes, edges }: GraphReport): string {
  return ['digraph lazyscope {', '  rankdir=LR;', ...nodes.map(node), ...edges.map(edge), '}', ''].join('\n');
}
