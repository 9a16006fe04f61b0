import type { EdgeReport } from '../core/report.ts';
import type { StyledCell } from './table.ts';
import type { Terminal } from './terminal.ts';

/** State of an edge with its reason and flags: `active`, `relayed (PodIP)`, `warming (degraded)`. */
function stateText({ state, relayReason, flags }: EdgeReport): string {
  const remarks = [...(relayReason === undefined ? [] : [relayReason]), ...flags];
  return remarks.length === 0 ? state : `${state} (${remarks.join(', ')})`;
}

/** {@link stateText}, yellow where something is not as it should be. */
export function stateCell(edge: EdgeReport, terminal: Terminal): StyledCell {
  return {
    text: stateText(edge),
    style: (text) => {
      if (edge.flags.length > 0) return terminal.style('yellow', text);
      return edge.state === 'active' ? terminal.style('green', text) : text;
    },
  };
}
