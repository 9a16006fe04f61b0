import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const SCRIPT = join(import.meta.dirname, '..', '..', 'scripts', 'test-envoys.ts');

function run(...versions: readonly string[]): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, ...versions], { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

test('fails for a version that is not installed, and names it', () => {
  const { status, output } = run('0.0.1');
  assert.notEqual(status, 0);
  assert.match(output, /envoys\/0\.0\.1\/envoy is not Envoy 0\.0\.1/);
});

test('fails without any version', () => {
  assert.notEqual(run().status, 0);
});
