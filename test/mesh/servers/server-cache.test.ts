import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { run } from '../../support/bed/command.ts';
import { builtServers, cacheFolder } from './server-cache.ts';
import type { ServerModule } from './server-module.ts';

const folder = mkdtempSync(join(tmpdir(), 'lazyscope-servers-'));
process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
after(() => rmSync(folder, { recursive: true }));

const PROGRAM = 'package main\n\nvar version string\n\nfunc main() { println(version) }\n';

/** A Go module of two commands, without requirements. */
function moduleOf(name: string, program = PROGRAM): ServerModule {
  const module = join(folder, name);
  const commands = ['first', 'second'].map((command) => join(module, command, 'main.go'));
  for (const file of commands) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, program);
  }
  writeFileSync(join(module, 'go.mod'), 'module example.test/m\n\ngo 1.26.0\n');
  writeFileSync(join(module, 'go.sum'), '');
  const packages = ['example.test/m/first', 'example.test/m/second'];
  const files = [{ of: 'example.test/m', path: 'first/main.go' }];
  return { name: 'istio', folder: module, packages, tags: [], variables: { 'main.version': 'v1.2.3' }, files };
}

test('commands and files are built once, with their variables, and found afterwards', async () => {
  const module = moduleOf('good');
  const built = await builtServers(module);
  assert.deepEqual(readdirSync(built).sort(), ['first', 'main.go', 'second']);
  assert.equal(run('sh', ['-c', `${join(built, 'first')} 2>&1`]), 'v1.2.3\n');
  rmSync(join(built, 'first'));
  assert.equal(await builtServers(module), built);
  assert.ok(!existsSync(join(built, 'first')));
});

test('runs that want the same servers at once build them once', async () => {
  const module = { ...moduleOf('shared'), variables: { 'main.version': 'shared' } };
  const folders = await Promise.all([builtServers(module), builtServers(module), builtServers(module)]);
  assert.equal(new Set(folders).size, 1);
});

test('another pin is another folder', () => {
  const module = moduleOf('pinned');
  const before = cacheFolder(module);
  writeFileSync(join(module.folder, 'go.sum'), 'example.test/x v1.0.0 h1:abc=\n');
  assert.notEqual(cacheFolder(module), before);
});

test('another source file is another folder', () => {
  const module = moduleOf('edited');
  const before = cacheFolder(module);
  writeFileSync(join(module.folder, 'second', 'main.go'), `${PROGRAM}\n`);
  assert.notEqual(cacheFolder(module), before);
});

test('what does not build is refused in one sentence, and is not kept', async () => {
  const module = { ...moduleOf('bad', 'package main\n\nfunc main() { missing() }\n'), tags: ['bad'] };
  await assert.rejects(builtServers(module), ({ message }: Error) => {
    assert.match(message, /^The real servers of istio cannot be built: go build ended with 1: .*missing.*\.$/);
    return true;
  });
  assert.ok(!existsSync(cacheFolder(module)));
});
