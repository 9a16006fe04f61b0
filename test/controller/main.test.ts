/** The controller as a process: how it starts, refuses to start, and ends. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/lazyscope.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lazyscope-main-'));
after(() => rmSync(folder, { recursive: true }));

function controller(...flags: readonly string[]): ChildProcess {
  const common = ['--path', folder, '--egress', '10.0.0.9:15080', '--store-path', join(folder, 'store', 'a.db')];
  return spawn(process.execPath, [BIN, 'controller', ...common, '--grpc-listen', '127.0.0.1:0', ...flags]);
}

/** The first log line with this message. */
async function logged({ stdout }: ChildProcess, message: string): Promise<Record<string, unknown>> {
  let rest = '';
  for await (const chunk of stdout ?? []) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    const found = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === message);
    if (found) return found;
  }
  return assert.fail(`it ended without saying "${message}"`);
}

describe('lazyscope controller', () => {
  it('says where it listens, answers, and ends with 0 on SIGTERM', async () => {
    const child = controller('--http-listen', '127.0.0.1:0');
    const { http } = (await logged(child, 'Listening')) as { readonly http: { readonly port: number } };
    const live = await fetch(`http://127.0.0.1:${http.port}/livez`);
    assert.equal(live.status, 200);
    const metrics = await (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
    for (const name of ['edges', 'access_log_entries_total', 'xds_clients', 'store_degraded', 'build_info']) {
      assert.match(metrics, new RegExp(`^lazyscope_${name}`, 'm'));
    }
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('is not ready before the mesh is read', async () => {
    const child = controller('--http-listen', '127.0.0.1:0', '--path', join(folder, 'later'));
    const { http } = (await logged(child, 'Listening')) as { readonly http: { readonly port: number } };
    const ready = await fetch(`http://127.0.0.1:${http.port}/readyz?verbose`);
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /\[-\]source/);
    child.kill('SIGTERM');
    await once(child, 'exit');
  });

  it('ends with 1 and one sentence when a port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { readonly port: number };
    const child = controller('--http-listen', '127.0.0.1:0', '--grpc-listen', `127.0.0.1:${port}`);
    child.stdout?.resume();
    const [[code], complaint] = await Promise.all([once(child, 'exit'), text(child.stderr ?? process.stdin)]);
    taken.close();
    assert.equal(code, 1);
    assert.match(complaint, new RegExp(`^lazyscope controller cannot start: .*${port}.*\\n$`));
  });

  it('sets a corrupt store aside and goes on', async () => {
    const path = join(folder, 'corrupt.db');
    writeFileSync(path, 'this is no database, but it is long enough to be read as the header of one '.repeat(20));
    const child = controller('--http-listen', '127.0.0.1:0', '--store-path', path);
    const skipped = await logged(child, 'Skipped');
    assert.match(String(skipped['reason']), /set aside/);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });
});
