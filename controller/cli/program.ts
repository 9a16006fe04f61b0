/** `lazyscope` as a whole: its commands, its help, its exit codes. */
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { reasonOf } from '../core/error.ts';
import { clientCommands } from './client-commands.ts';
import { type Example, examplesOf, renderExamples } from './examples.ts';
import type { Terminal } from './terminal.ts';

/** What the bin knows and this module does not. */
export interface ProgramOptions {
  /** `lazyscope`, or `kubectl lazyscope` when called as a plugin. */
  readonly name: string;
  readonly version: string;
  readonly terminal: Terminal;
  /** `controller` and `egress`, with one example each. */
  readonly servers: readonly { readonly command: Command; readonly example: Example }[];
}

/** Builds the program; {@link run} runs it. */
export function createProgram({ name, version, terminal, servers }: ProgramOptions): Command {
  const program = new Command(name)
    .description('Lazyscope makes an Envoy service mesh lazy: each sidecar holds only the services its workload uses.')
    .version(version, '-V, --version', 'print the version');
  const clients = clientCommands(terminal);
  for (const { command } of servers) program.addCommand(command.helpGroup('Programs:'));
  for (const command of clients) program.addCommand(command.helpGroup('Commands that ask a running controller:'));
  const examples = [
    ...servers.map(({ example }) => example),
    ...clients.flatMap((command) => examplesOf(command).slice(0, 1)),
  ];
  return program.addHelpText('after', () => renderExamples(name, examples));
}

/** Commander ends the process by itself where it is not told otherwise, also in every command below. */
function prepare(command: Command, terminal: Terminal): void {
  command
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.message(text.replace(/\n$/, '')),
    })
    .showHelpAfterError('Add --help for what there is.');
  if (command.options.some(({ long }) => long === '--no-color')) {
    command.hook('preAction', () => {
      if (command.getOptionValue('color') === false) terminal.style = (_emphasis, text) => text;
    });
  }
  for (const child of command.commands) prepare(child, terminal);
}

/**
 * Parses `args` and runs the command.
 * Returns the exit code: 0 done, 1 not found, unreachable, not ready or failed, 2 usage. Failures are one sentence each.
 */
export async function run(program: Command, args: readonly string[], terminal: Terminal): Promise<number> {
  prepare(program, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return terminal.exitCode;
  } catch (caught) {
    // Commander has printed its own errors, except for those that an action throws.
    if (!(caught instanceof CommanderError) || caught instanceof InvalidArgumentError) {
      terminal.message(`error: ${reasonOf(caught)}`);
    }
    if (!(caught instanceof CommanderError)) return 1;
    return caught.exitCode === 0 ? 0 : 2;
  }
}
