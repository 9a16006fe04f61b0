/** Runs short commands of the system (`ip`, `iptables-restore`, `openssl`) and waits for them. */
import { spawnSync } from 'node:child_process';

/**
 * Standard output of a command.
 * @throws Error with the command and its standard error when it fails or is not installed
 */
export function run(file: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { input, encoding: 'utf8' });
  if (error) throw new Error(`${file} cannot be run: ${error.message}`, { cause: error });
  if (status !== 0) throw new Error(`"${file} ${args.join(' ')}" failed: ${stderr.trim()}`);
  return stdout;
}

/** Several `ip` commands in one process; the rest is still tried when one fails, and then the first failure thrown. */
export function ipBatch(lines: readonly string[], namespace?: string): void {
  run('ip', [...(namespace ? ['-n', namespace] : []), '-force', '-batch', '-'], `${lines.join('\n')}\n`);
}
