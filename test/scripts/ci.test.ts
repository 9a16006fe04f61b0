import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';

const CI_RUN = join(import.meta.dirname, '..', '..', '.ci', 'run');

/** Runs `.ci/run` with a `make` that only notes its target, and fails for the given one. */
function runCi(t: TestContext, failing: string): { status: number | null; targets: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-ci-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const notes = join(folder, 'targets');
  const make = `#!/bin/sh\necho "$1" >>'${notes}'\n[ "$1" != "${failing}" ]\n`;
  writeFileSync(join(folder, 'make'), make, { mode: 0o755 });
  const { status } = spawnSync(CI_RUN, { env: { PATH: `${folder}:/usr/bin:/bin` } });
  return { status, targets: readFileSync(notes, 'utf8').trim().split('\n') };
}

test('passes when make check, make test and make test-mesh pass', (t) => {
  assert.deepEqual(runCi(t, 'nothing'), { status: 0, targets: ['check', 'test', 'test-mesh'] });
});

for (const target of ['check', 'test', 'test-mesh']) {
  test(`fails when make ${target} fails`, (t) => {
    assert.notEqual(runCi(t, target).status, 0);
  });
}
