import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { temporaryStore } from './temporary-store.ts';

const SAVES_UNTIL_KILLED = join(import.meta.dirname, 'saves-until-killed.ts');

test('has every dependency that was saved before kill -9', async (t) => {
  const { open, path, problems } = temporaryStore(t);
  const child = spawn(process.execPath, [SAVES_UNTIL_KILLED, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  let saved = 0;
  for await (const line of createInterface(child.stdout)) {
    saved = Number(line);
    if (saved === 30) child.kill('SIGKILL');
  }
  if (child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');
  assert.ok(saved >= 30, `the child saved only ${saved}`);

  const loaded = await open().load(Date.now());
  const sources = new Set(loaded.dependencies.map(({ source }) => source));
  const lost = Array.from({ length: saved }, (_, i) => `shop/Deployment/client-${i + 1}`).filter(
    (s) => !sources.has(s),
  );
  assert.deepEqual(lost, []);
  assert.deepEqual(problems, []);
});
