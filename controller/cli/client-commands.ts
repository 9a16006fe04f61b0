import type { Command } from 'commander';
import { bootstrapCommand } from './bootstrap-command.ts';
import { edgesCommand } from './edges-command.ts';
import { explainCommand } from './explain-command.ts';
import { forgetCommand } from './forget-command.ts';
import { graphCommand } from './graph-command.ts';
import { statusCommand } from './status-command.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** Commands that ask a running controller, in the order in which people need them. */
export function clientCommands(terminal: Terminal = processTerminal()): Command[] {
  return [
    statusCommand(terminal),
    graphCommand(terminal),
    edgesCommand(terminal),
    explainCommand(terminal),
    forgetCommand(terminal),
    bootstrapCommand(terminal),
  ];
}
