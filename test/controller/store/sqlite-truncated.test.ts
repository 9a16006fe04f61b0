/** A store that was cut off, at every page of the database and every frame of its log: whole, or set aside and named. */
import assert from 'node:assert/strict';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { dependencyKey } from '../../../controller/core/graph/dependency.ts';
import { SqliteStore } from '../../../controller/store/sqlite.ts';
import { dependency } from '../../support/dependencies.ts';
import {
  assertSetAside,
  assertWhole,
  CREATED_AT,
  closedStore,
  frameSizes,
  halfCheckpointedStore,
  killedStore,
  loadDamaged,
  NOW,
  pageSizes,
  SUFFIXES,
} from './damaged-copies.ts';

const LEFT_BY_KILL = { killed: killedStore, 'half checkpointed': halfCheckpointedStore };

/** Sizes that end in the midst of a page or frame besides those that end with one. */
const withMiddles = (sizes: readonly number[]): number[] => sizes.flatMap((size) => [size, size + 2_000]);

test('a closed store is whole', async (t) => {
  const left = await closedStore(t);
  assertWhole(await loadDamaged(left, () => undefined), left, 'untouched');
  assert.deepEqual([left.size('-wal'), left.size('-shm')], [0, 0]);
});

test('a closed store is set aside wherever it is cut off', async (t) => {
  const left = await closedStore(t);
  const sizes = withMiddles(pageSizes(left));
  assert.ok(sizes.length > 10, `only ${sizes.length} sizes`);
  for (const size of sizes) {
    const loaded = await loadDamaged(left, (path) => truncateSync(path, size));
    assertSetAside(loaded, `cut off at ${size}`);
  }
});

for (const [name, leave] of Object.entries(LEFT_BY_KILL)) {
  test(`a ${name} store is whole`, async (t) => {
    const left = await leave(t);
    assertWhole(await loadDamaged(left, () => undefined), left, 'untouched');
    assert.ok(left.size('-wal') > 0 && left.size('-shm') > 0);
  });

  test(`a ${name} store is set aside wherever its log is cut off`, async (t) => {
    const left = await leave(t);
    const sizes = withMiddles(frameSizes(left));
    assert.ok(sizes.length > 20, `only ${sizes.length} sizes`);
    for (const size of sizes) {
      const loaded = await loadDamaged(left, (path) => truncateSync(`${path}-wal`, size));
      assertSetAside(loaded, `log cut off at ${size}`);
    }
  });

  test(`a ${name} store is whole or set aside wherever its database is cut off`, async (t) => {
    const left = await leave(t);
    for (const size of withMiddles(pageSizes(left))) {
      const loaded = await loadDamaged(left, (path) => truncateSync(path, size));
      if (loaded.problems.length === 0) assertWhole(loaded, left, `cut off at ${size}`);
      else assertSetAside(loaded, `cut off at ${size}`);
    }
  });
}

test('a log whose database is gone is set aside', async (t) => {
  const left = await killedStore(t);
  assertSetAside(await loadDamaged(left, (path) => rmSync(path)), 'no database');
});

test('a database whose log is gone is set aside', async (t) => {
  const left = await killedStore(t);
  assertSetAside(await loadDamaged(left, (path) => rmSync(`${path}-wal`)), 'no log');
});

test('a log is read without its index, which SQLite can make anew', async (t) => {
  const left = await killedStore(t);
  assertWhole(await loadDamaged(left, (path) => rmSync(`${path}-shm`)), left, 'no index');
  assertWhole(await loadDamaged(left, (path) => truncateSync(`${path}-shm`, 50)), left, 'half an index');
});

test('the index of an earlier log says nothing: power was lost before it was written', async (t) => {
  const left = await killedStore(t);
  const loaded = await loadDamaged(left, (path) => {
    const index = new Uint8Array(32_768).fill(0x7f);
    index.set([0, 0, 0, 0], 96);
    writeFileSync(`${path}-shm`, index);
  });
  assertWhole(loaded, left, 'another index');
});

test('files beside it that are empty are as good as none', async (t) => {
  const left = await closedStore(t);
  const loaded = await loadDamaged(left, (path) => {
    for (const suffix of SUFFIXES.slice(1)) writeFileSync(path + suffix, '');
  });
  assertWhole(loaded, left, 'empty log and index');
});

test('a store that is cut off while it is used is made anew, or set aside later', async (t) => {
  const left = await closedStore(t);
  const more = [dependency({ source: 'shop/Deployment/later' })];
  for (const size of pageSizes(left)) {
    let wasMadeAnew = false;
    const loaded = await loadDamaged(left, async (path) => {
      const store = new SqliteStore({ path, onProblem: () => undefined, now: () => NOW });
      await store.load(CREATED_AT);
      await store.save(left.saved.slice(0, 10));
      truncateSync(path, size);
      wasMadeAnew = await store.save(more).then(
        () => false,
        () => true,
      );
      if (wasMadeAnew) await store.save([...left.saved, ...more]);
      await store.close();
    });
    const all = new Map([...left.saved, ...more].map((one) => [dependencyKey(one), one]));
    const found = new Map(loaded.graph.dependencies.map((one) => [dependencyKey(one), one]));
    if (wasMadeAnew) assert.deepEqual([found, loaded.graph.createdAt], [all, NOW], `cut off at ${size}`);
    else if (loaded.problems.length > 0) assertSetAside(loaded, `cut off at ${size}`);
    else assert.deepEqual(found, all, `cut off at ${size}`);
  }
});
