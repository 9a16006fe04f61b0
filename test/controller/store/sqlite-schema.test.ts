import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { MIGRATIONS, migrate } from '../../../controller/store/sqlite-schema.ts';
import { temporaryStore } from './temporary-store.ts';

const FIRST = 'CREATE TABLE pet (name TEXT);';
const SECOND = "ALTER TABLE pet ADD COLUMN kind TEXT NOT NULL DEFAULT 'cat';";

function memoryDatabase(): DatabaseSync {
  return new DatabaseSync(':memory:');
}

test('applies only the migrations that a database lacks', () => {
  const database = memoryDatabase();
  migrate(database, 'pets.db', [FIRST]);
  database.exec("INSERT INTO pet VALUES ('Mia')");
  migrate(database, 'pets.db', [FIRST, SECOND]);
  migrate(database, 'pets.db', [FIRST, SECOND]);
  assert.deepEqual({ ...database.prepare('SELECT * FROM pet').get() }, { name: 'Mia', kind: 'cat' });
});

test('leaves the database as it was when a migration fails', () => {
  const database = memoryDatabase();
  migrate(database, 'pets.db', [FIRST]);
  assert.throws(() => migrate(database, 'pets.db', [FIRST, SECOND, 'nonsense;']));
  assert.equal(database.isTransaction, false);
  assert.deepEqual({ ...database.prepare('PRAGMA user_version').get() }, { user_version: 1 });
  assert.equal(database.prepare('PRAGMA table_info(pet)').all().length, 1);
});

test('refuses a newer schema, by name and with the way out, and leaves the file alone', async (t) => {
  const { open, path, problems } = temporaryStore(t);
  const store = open();
  await store.load(1);
  await store.close();
  const newer = new DatabaseSync(path);
  newer.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
  newer.close();

  const message = new RegExp(`^${path} was written by a newer Lazyscope .*; upgrade, or name another file`);
  await assert.rejects(open().load(1), { code: 'StoreUnusable', message });
  await assert.rejects(open().load(1), { code: 'StoreUnusable', message });
  assert.deepEqual(problems, []);
});

test("refuses another program's database", async (t) => {
  const { open, path } = temporaryStore(t);
  const foreign = new DatabaseSync(path);
  foreign.exec('CREATE TABLE bookmark (url TEXT)');
  foreign.close();
  await assert.rejects(open().load(1), { code: 'StoreUnusable', message: /database of another program/ });
});
