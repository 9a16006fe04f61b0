import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { cpuSeconds } from './cpu-time.ts';

test('counts a process with what it started, also a program with blanks in its name', async () => {
  const busy = 'const end = process.cpuUsage().user + 3e5; while (process.cpuUsage().user < end);';
  const child = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(`process.title = "a ) b"; ${busy} console.log("done"); process.stdin.resume()`)}], { stdio: "inherit" })`;
  const parent = spawn(process.execPath, ['-e', child], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    await once(parent.stdout, 'data');
    assert.ok(cpuSeconds(parent.pid ?? 0) >= 0.3);
  } finally {
    parent.stdin.end();
    await once(parent, 'close');
  }
  assert.equal(cpuSeconds(parent.pid ?? 0), 0);
});
