/** Runs Go: that of `make`'s own tools, else that of PATH. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { buildEnvironment } from './build-environment.ts';
import type { ServerModule } from './server-module.ts';

/**
 * Builds the module's commands into a folder.
 * @param logFile where everything goes that Go says
 * @throws Error with Go's last line, when it fails or is not installed
 */
export async function goBuild(module: ServerModule, folder: string, logFile: string): Promise<void> {
  const { packages, tags, variables } = module;
  const values = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  const flags = ['-mod=readonly', '-trimpath', `-tags=${tags.join(',')}`, `-ldflags=${['-s -w', ...values].join(' ')}`];
  await go(['build', '-C', module.folder, ...flags, '-o', `${folder}/`, ...packages], logFile);
}

/** Folder of a module that this one requires, downloaded by its build. */
export async function goModuleFolder(module: ServerModule, path: string, logFile: string): Promise<string> {
  return go(['list', '-C', module.folder, '-mod=readonly', '-m', '-f', '{{.Dir}}', path], logFile);
}

/** Standard output of a Go command. */
async function go(args: readonly string[], logFile: string): Promise<string> {
  const log = openSync(logFile, 'a');
  const child = spawn('go', args, { stdio: ['ignore', 'pipe', log], env: buildEnvironment() });
  closeSync(log);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = await new Promise<number | NodeJS.Signals | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, signal) => resolve(signal ?? code ?? 0));
  });
  if (ended instanceof Error)
    throw new Error(`Go cannot be run (${ended.message}); "make test-mesh" and "make bench" install it`);
  if (ended !== 0) throw new Error(`go ${args[0]} ended with ${ended}: ${lastLine(logFile)} (more in ${logFile})`);
  return output.trim();
}

function lastLine(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
}
