import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { SqliteStore } from '../../../controller/store/sqlite.ts';
import { storeContract } from '../../contract/store.ts';
import { dependency } from '../../support/dependencies.ts';
import { IN_MEMORY, temporaryStore } from './temporary-store.ts';

// A thousand graphs are stored and loaded.
storeContract('SqliteStore', (t) => temporaryStore(t, IN_MEMORY).open());

test('gives a later process what an earlier one saved, and the date of the first', async (t) => {
  const { open, problems } = temporaryStore(t);
  const earlier = open();
  await earlier.load(1000);
  await earlier.save([dependency({})]);
  await earlier.close();
  assert.deepEqual(await open().load(2000), { dependencies: [dependency({})], createdAt: 1000 });
  assert.deepEqual(problems, []);
});

test('makes the folders of its file', async (t) => {
  const { folder } = temporaryStore(t);
  const store = new SqliteStore({
    path: join(folder, 'var', 'lib', 'graph.db'),
    onProblem: ({ reason }) => assert.fail(reason),
  });
  t.after(() => store.close());
  assert.deepEqual(await store.load(1), { dependencies: [], createdAt: 1 });
});

test('says which file it cannot make', async (t) => {
  const { folder } = temporaryStore(t);
  writeFileSync(join(folder, 'file'), '');
  const path = join(folder, 'file', 'graph.db');
  const store = new SqliteStore({ path, onProblem: ({ reason }) => assert.fail(reason) });
  await assert.rejects(store.load(1), (error: Error) => error.message.startsWith(`store ${path}: `));
});

test('saves nothing before it is loaded or after it is closed', async (t) => {
  const store = temporaryStore(t).open();
  await assert.rejects(store.save([dependency({})]), { code: 'StoreUnusable', message: /is not open/ });
  await store.load(1);
  await store.close();
  await assert.rejects(store.save([dependency({})]), { code: 'StoreUnusable', message: /is not open/ });
});

test('keeps nothing of a batch that fails', async (t) => {
  const store = temporaryStore(t).open();
  await store.load(1);
  const wrong = dependency({ source: 'shop/Deployment/wrong', lastSeen: Number.NaN });
  await assert.rejects(store.save([dependency({}), wrong]), { code: 'StoreUnusable' });
  await store.save([dependency({ lastSeen: 7 })]);
  assert.deepEqual((await store.load(1)).dependencies, [dependency({ lastSeen: 7 })]);
});

/** What may stand in the row of the shop's frontend, and what is said of it. */
const UNREADABLE: Record<string, { readonly change: string; readonly says: RegExp }> = {
  'a protocol that there is not': { change: "protocol = 'SCTP'", says: /protocol/ },
  'the name of another workload': {
    change: "source = 'shop/Deployment/frontenc'",
    says: /the row is that of ".*frontenc/,
  },
  'a time that no calendar has': { change: 'last_seen = 1e300', says: /last_seen/ },
  'more connections than can be counted': { change: 'connections = 9e999', says: /connections/ },
  'a reason that every object has': { change: "relay_reason = 'toString'", says: /relay_reason/ },
};

for (const [name, { change, says }] of Object.entries(UNREADABLE)) {
  test(`names and skips a row with ${name}, and counts as young: sidecars may know what it told`, async (t) => {
    const { open, path, problems } = temporaryStore(t);
    const store = open();
    await store.load(1);
    const other = dependency({ source: 'shop/Deployment/other' });
    await store.save([dependency({}), other]);
    const database = new DatabaseSync(path);
    database.exec(`UPDATE dependency SET ${change} WHERE source = 'shop/Deployment/frontend'`);
    database.close();
    assert.deepEqual(await store.load(9_000), { dependencies: [other], createdAt: 9_000 });
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.subject ?? '', /row "shop\/Deployment\/frontend /);
    assert.match(problems[0]?.reason ?? '', says);
  });
}

test('rejects while another process holds the file, and saves once it is free', async (t) => {
  const { open, path } = temporaryStore(t);
  const store = open();
  await store.load(1);
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(store.save([dependency({})]), { code: 'StoreUnusable', message: /locked/ });
  other.exec('ROLLBACK');
  other.close();
  await store.save([dependency({})]);
  assert.deepEqual((await store.load(1)).dependencies, [dependency({})]);
});
