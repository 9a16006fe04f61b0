import Table from 'cli-table3';
import { printable } from './terminal.ts';

/** A cell that knows how it looks beside what it says. */
export interface StyledCell {
  readonly text: string;
  readonly style: (text: string) => string;
}

export type Cell = string | StyledCell;

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

function content(cell: Cell): string {
  return typeof cell === 'string' ? printable(cell) : cell.style(printable(cell.text));
}

/** Columns as kubectl prints them: upper-case heads, left aligned, two spaces between, never cut. */
export function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const table = new Table({
    chars: borderless,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  table.push([...head], ...rows.map((row) => row.map(content)));
  const lines = table.toString().split('\n');
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
