import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer } from '../http/start-server.ts';
import type { CliResult } from './run-cli.ts';

const bin = join(import.meta.dirname, '../../../bin/lazyscope.ts');

/** Runs the bin as a process of its own, its output in pipes. */
function runBin(args: readonly string[], env: NodeJS.ProcessEnv = {}, path = bin): Promise<CliResult> {
  const clean = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_TEST_CONTEXT: undefined };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [path, ...args], { env: { ...clean, ...env } }, (_error, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

test('data goes to stdout without colours when it is piped', async (t) => {
  const { exitCode, stdout } = await runBin(['status', '--server', await startServer(t)]);
  assert.equal(exitCode, 0);
  assert.match(stdout, /^Ready\./);
  assert.ok(!stdout.includes('\u001b'));
});

test('LAZYSCOPE_SERVER names the controller', async (t) => {
  const { exitCode, stdout } = await runBin(['edges'], { LAZYSCOPE_SERVER: await startServer(t) });
  assert.equal(exitCode, 0);
  assert.match(stdout, /^SRC /);
});

test('colours can be forced, and NO_COLOR is obeyed', async (t) => {
  const server = await startServer(t);
  const forced = await runBin(['edges', '--server', server], { FORCE_COLOR: '1' });
  const none = await runBin(['edges', '--server', server], { NO_COLOR: '1' });
  assert.ok(forced.stdout.includes('\u001b[32mactive'));
  assert.ok(!none.stdout.includes('\u001b'));
});

test('the exit code is 1 for an unreachable controller and 2 for wrong usage', async () => {
  const unreachable = await runBin(['status', '--server', 'http://127.0.0.1:1']);
  const usage = await runBin(['status', '--nope']);
  assert.deepEqual([unreachable.exitCode, unreachable.stdout, usage.exitCode, usage.stdout], [1, '', 2, '']);
});

test('the help lists both programs and every command', async () => {
  const { stdout } = await runBin(['--help']);
  for (const name of ['controller', 'egress', 'status', 'graph', 'edges', 'explain', 'bootstrap']) {
    assert.match(stdout, new RegExp(`^  ${name}\\b`, 'm'));
    assert.match(stdout, new RegExp(`^  \\$ lazyscope ${name}\\b`, 'm'));
  }
});

for (const args of [
  ['controller', '--help'],
  ['help', 'egress'],
]) {
  test(`lazyscope ${args.join(' ')} shows the options of the program`, async () => {
    const { exitCode, stdout } = await runBin(args);
    assert.equal(exitCode, 0);
    assert.match(stdout, /--http-listen/);
  });
}

test('called as kubectl-lazyscope it says kubectl lazyscope', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const plugin = join(folder, 'kubectl-lazyscope');
  symlinkSync(bin, plugin);
  const { stdout } = await runBin(['status', '--help'], {}, plugin);
  assert.match(stdout, /^Usage: kubectl lazyscope status/);
  assert.match(stdout, /\$ kubectl lazyscope status -n shop/);
});
