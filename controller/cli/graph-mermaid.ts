/** The graph as a Mermaid flowchart, which GitHub and GitLab render in Markdown. */
import type { EdgeReport, GraphNode, GraphReport } from '../core/report.ts';
import { nodeLabel } from './graph-label.ts';
import { printable } from './terminal.ts';

/** Everything that could end a label, start markup or be read as Markdown becomes an entity code. */
function escaped(text: string): string {
  return printable(text).replace(/[^\p{L}\p{N} ./:-]/gu, (character) => `#${character.codePointAt(0)};`);
}

const brackets: Readonly<Record<GraphNode['kind'], readonly [open: string, close: string]>> = {
  Workload: ['["', '"]'],
  Service: ['(["', '"])'],
  Address: ['{{"', '"}}'],
};

const arrows: Readonly<Record<EdgeReport['state'], string>> = {
  observed: '-.->',
  warming: '-.->',
  active: '-->',
  relayed: '-.-x',
  cooling: '-.->',
  expired: '-.-x',
};

/** The same graph gives the same text. Node names are numbers, because Mermaid reads some words as keywords. */
export function renderMermaid({ nodes, edges }: GraphReport): string {
  const names = new Map(nodes.map(({ id }, index) => [id, `n${index}`]));
  const nodeLines = nodes.map((node) => {
    const [open, close] = brackets[node.kind];
    return `  ${names.get(node.id)}${open}${nodeLabel(node).map(escaped).join('<br/>')}${close}`;
  });
  const edgeLines = edges.map(
    ({ from, to, port, protocol, state }) =>
      `  ${names.get(from)} ${arrows[state]}|"${port} ${protocol}"| ${names.get(to)}`,
  );
  return ['flowchart LR', ...nodeLines, ...edgeLines, ''].join('\n');
}
