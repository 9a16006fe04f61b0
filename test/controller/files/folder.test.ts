import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { basename, relative } from 'node:path';
import { test } from 'node:test';
import { isManifestName, listFiles } from '../../../controller/files/folder.ts';
import { ManifestFolder } from '../../support/manifest-folder.ts';

const NAMES: readonly (readonly [string, boolean])[] = [
  ['a.yaml', true],
  ['a.yml', true],
  ['a.json', true],
  ['A.YAML', true],
  ['.a.yaml', false],
  ['.a.yaml.swp', false],
  ['a.yaml~', false],
  ['#a.yaml#', false],
  ['#a.yaml', false],
  ['~a.yaml', false],
  ['a.yaml.tmp', false],
  ['a.yaml.bak', false],
  ['a.txt', false],
  ['yaml', false],
  ['4913', false],
];

for (const [name, read] of NAMES) {
  test(`${name} is ${read ? '' : 'not '}read`, () => {
    assert.equal(isManifestName(name), read);
  });
}

test('files of subfolders are listed in name order, those of dot folders are not', async (t) => {
  const folder = await ManifestFolder.make(t);
  for (const name of ['b', '.git', 'b/c']) await mkdir(folder.file(name));
  for (const name of ['z.yaml', 'b/a.json', 'b/c/d.yml', 'b/x.txt', '.git/e.yaml']) await folder.write(name, '');
  const { files, problems } = await listFiles(folder.path);
  assert.deepEqual(
    [...files.keys()].map((path) => relative(folder.path, path)),
    ['b/a.json', 'b/c/d.yml', 'z.yaml'],
  );
  assert.deepEqual(problems, []);
});

test('links to files are followed, as a mounted ConfigMap has them; links that lead nowhere are not there', async (t) => {
  const folder = await ManifestFolder.make(t);
  await mkdir(folder.file('..2026'));
  await folder.write('..2026/mesh.yaml', 'a: 1\n');
  await symlink('..2026', folder.file('..data'));
  await symlink('..data/mesh.yaml', folder.file('mesh.yaml'));
  await symlink('..data/gone.yaml', folder.file('gone.yaml'));
  const { files, problems } = await listFiles(folder.path);
  assert.deepEqual(
    [...files.keys()].map((path) => basename(path)),
    ['mesh.yaml'],
  );
  assert.deepEqual(problems, []);
});

test('a path to a file lists that file, whatever its name', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('mesh', '');
  assert.deepEqual([...(await listFiles(folder.file('mesh'))).files.keys()], [folder.file('mesh')]);
});

test('a path that is neither file nor folder is refused', async () => {
  await assert.rejects(listFiles('/dev/null'), /\/dev\/null is neither a file nor a folder/);
});

test('a rename over a file changes its signature though size and time are the same', async (t) => {
  const folder = await ManifestFolder.make(t);
  const signature = async (): Promise<string | undefined> =>
    (await listFiles(folder.path)).files.get(folder.file('a.yaml'))?.signature;
  await folder.write('a.yaml', 'a: 1\n');
  const before = await signature();
  await folder.replace('a.yaml', 'a: 2\n');
  assert.notEqual(await signature(), before);
});
