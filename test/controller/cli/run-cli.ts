/** Runs client commands in this process, against a real server, with a fixed clock. */
import { Command } from 'commander';
import { createProgram, run } from '../../../controller/cli/program.ts';
import type { Terminal } from '../../../controller/cli/terminal.ts';
import { now } from '../http/shop.ts';

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The whole program as the bin builds it, printing to `terminal`. */
function testProgram(terminal: Terminal): Command {
  return createProgram({
    name: 'lazyscope',
    version: '1.2.3',
    terminal,
    servers: [
      { command: new Command('controller').summary('serve'), example: ['controller --path ./mesh', 'serve'] },
      { command: new Command('egress').summary('forward'), example: ['egress', 'forward'] },
    ],
  });
}

/** `lazyscope <args>`. Emphasis is shown as `<red>text</red>` where `styled`. */
export async function runCli(args: readonly string[], { styled = false } = {}): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const terminal: Terminal = {
    out: (text) => {
      stdout += text;
    },
    message: (text) => {
      stderr += `${text}\n`;
    },
    now: () => now,
    style: (emphasis, text) => (styled ? `<${emphasis}>${text}</${emphasis}>` : text),
    exitCode: 0,
  };
  const exitCode = await run(testProgram(terminal), args, terminal);
  return { exitCode, stdout, stderr };
}
