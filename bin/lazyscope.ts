#!/usr/bin/env node
/** The one bin. The two servers are imported only when called, so that client commands start at once. */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { basename } from 'node:path';
import { Command } from 'commander';
import { createProgram, run } from '../controller/cli/program.ts';
import { processTerminal } from '../controller/cli/terminal.ts';

interface ServerProgram {
  readonly name: string;
  readonly summary: string;
  readonly example: readonly [line: string, meaning: string];
  load(version: string): Promise<Command>;
}

const servers: readonly ServerProgram[] = [
  {
    name: 'controller',
    summary: 'learn who uses what, and serve each Envoy its scope over xDS',
    example: ['controller --path ./mesh --egress 10.0.0.2:15080', 'learn, and serve Envoys'],
    load: async (version) => (await import('../controller/main.ts')).controllerCommand(version),
  },
  {
    name: 'egress',
    summary: 'forward what sidecars do not know yet, and report it',
    example: ['egress --controller 10.0.0.1:15010', 'forward, and report'],
    load: async (version) => (await import('../egress/main.ts')).egressCommand(version),
  },
];

/** Version of the package, wherever it is installed. */
function packageVersion(): string {
  const path = findPackageJSON('..', import.meta.url);
  const manifest: unknown = path === undefined ? undefined : JSON.parse(readFileSync(path, 'utf8'));
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return hasVersion ? String(manifest.version) : 'unknown';
}

/** kubectl finds plugins by file name; their help must then say what people type. */
function programName(executable: string): string {
  const name = basename(executable);
  return name.startsWith('kubectl-') ? `kubectl ${name.slice('kubectl-'.length)}` : 'lazyscope';
}

const [, executable = '', ...args] = process.argv;
const version = packageVersion();
const called = args.find((arg) => arg !== 'help' && !arg.startsWith('-'));
const terminal = processTerminal();
const program = createProgram({
  name: programName(executable),
  version,
  terminal,
  servers: await Promise.all(
    servers.map(async ({ name, summary, example, load }) => {
      const command = name === called ? await load(version) : new Command(name);
      return { command: command.summary(summary), example };
    }),
  ),
});

// A reader that has seen enough (head, less) closes the pipe; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const code = await run(program, args, terminal);
if (code !== 0) process.exitCode = code;
