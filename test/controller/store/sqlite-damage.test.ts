import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { dependency } from '../../support/dependencies.ts';
import { type TemporaryStore, temporaryStore } from './temporary-store.ts';

const NOW = Date.UTC(2026, 6, 1, 12);
const ASIDE = '.corrupt-2026-07-01T12-00-00.000Z';
const many = Array.from({ length: 500 }, (_, i) => dependency({ source: `shop/Deployment/client-${i}` }));

async function filled({ open }: TemporaryStore): Promise<void> {
  const store = open();
  await store.load(1);
  await store.save(many);
  await store.close();
}

/** Overwrites the middle of the file, page headers included. */
function scribble(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x55, 4096, bytes.length);
  writeFileSync(path, bytes);
}

interface Damage {
  readonly damage: (path: string) => void;
  /** What is said of it. */
  readonly what: string;
}

/** As a flipped bit in a column's name would. */
function renameColumn(path: string): void {
  const database = new DatabaseSync(path);
  database.exec('ALTER TABLE dependency RENAME COLUMN origin TO orygin');
  database.close();
}

const DAMAGES: Record<string, Damage> = {
  'that is no database': {
    damage: (path) => writeFileSync(path, 'Not a database, though longer than a header.'.repeat(40)),
    what: 'file is not a database',
  },
  'that is cut off': { damage: (path) => truncateSync(path, 4096 * 5), what: 'database disk image is malformed' },
  'that is empty': { damage: (path) => truncateSync(path), what: 'the file is empty' },
  'with a damaged schema': { damage: renameColumn, what: 'no such column: origin' },
  'with damaged pages': { damage: scribble, what: 'Tree 3 page 3: btreeInitPage() returns error code 11' },
};

for (const [name, { damage, what }] of Object.entries(DAMAGES)) {
  test(`sets a file aside ${name}, and starts empty`, async (t) => {
    const temporary = temporaryStore(t);
    await filled(temporary);
    damage(temporary.path);
    const damaged = readFileSync(temporary.path);

    const store = temporary.open();
    assert.deepEqual(await store.load(NOW), { dependencies: [], createdAt: NOW });
    assert.deepEqual(readFileSync(temporary.path + ASIDE), damaged);
    const reason = `is damaged (${what}); it was set aside as ${temporary.path}${ASIDE}`;
    assert.deepEqual(temporary.problems, [{ subject: temporary.path, reason }]);
    await store.save([dependency({})]);
    assert.deepEqual((await store.load(NOW)).dependencies, [dependency({})]);
  });
}

const REMOVALS: Record<string, (path: string) => void> = {
  removed: (path) => rmSync(path),
  'removed with its log': (path) => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix);
  },
  'moved away': (path) => renameSync(path, `${path}.moved`),
  'replaced by an empty one': (path) => {
    rmSync(path);
    writeFileSync(path, '');
  },
};

for (const [name, remove] of Object.entries(REMOVALS)) {
  test(`asks once for everything again after its file was ${name}`, async (t) => {
    const { open, path, problems } = temporaryStore(t);
    const store = open(() => NOW);
    await store.load(1);
    await store.save(many);
    remove(path);

    const asksForAll = { code: 'StoreUnusable', message: /everything must be saved again/ };
    await assert.rejects(store.save([dependency({})]), asksForAll);
    assert.match(problems.at(-1)?.reason ?? '', /everything must be saved again/);
    await store.save(many);
    await store.close();
    const loaded = await open().load(NOW + 1);
    assert.equal(loaded.dependencies.length, many.length);
    assert.equal(loaded.createdAt, NOW, 'dated as young as what it knows');
  });
}

test('goes on when its folder is back after it was removed', async (t) => {
  const { open, path, folder } = temporaryStore(t);
  const store = open();
  await store.load(1);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  await assert.rejects(store.save([dependency({})]), { code: 'StoreUnusable' });
  await assert.rejects(store.save([dependency({})]), { code: 'StoreUnusable' });
  rmSync(folder);
  await assert.rejects(store.save([dependency({})]), { message: /everything must be saved again/ });
  await store.save([dependency({})]);
  assert.ok(existsSync(path));
  assert.deepEqual((await store.load(1)).dependencies, [dependency({})]);
});
