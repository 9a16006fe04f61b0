/** Examples below the help of a command: what people copy first. */
import type { Command } from 'commander';

/** A command line without the program's name, and what it does. */
export type Example = readonly [line: string, meaning: string];

const examplesByCommand = new WeakMap<Command, readonly Example[]>();

/** Name of the program as people call it: `lazyscope`, or `kubectl lazyscope`. */
function programName(command: Command): string {
  return command.parent ? programName(command.parent) : command.name();
}

/** A help section; lines that do something different stand one below the other. */
export function renderExamples(program: string, examples: readonly Example[]): string {
  const lines = examples.map(([line, meaning]) => [`  $ ${program} ${line}`, meaning] as const);
  const width = Math.max(...lines.map(([line]) => line.length));
  return ['', 'Examples:', ...lines.map(([line, meaning]) => `${line.padEnd(width)}  # ${meaning}`)].join('\n');
}

/** Gives `command` its examples. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  examplesByCommand.set(command, examples);
  return command.addHelpText('after', () => renderExamples(programName(command), examples));
}

/** The examples of a command. */
export function examplesOf(command: Command): readonly Example[] {
  return examplesByCommand.get(command) ?? [];
}
