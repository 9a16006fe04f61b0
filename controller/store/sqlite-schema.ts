/** The database's shape, version by version. `PRAGMA user_version` counts the migrations that were applied. */
import type { DatabaseSync } from 'node:sqlite';
import { LazyscopeError } from '../core/error.ts';
import { inTransaction } from './sqlite-transaction.ts';

/** "lazy" in ASCII: tells our files from other programs' databases. */
const APPLICATION_ID = 0x6c617a79;

/**
 * Append only: a released entry never changes.
 * `key` is the graph's own key, so that store and graph never disagree about what one dependency is.
 * Numbers are REAL: they hold every JavaScript number exactly, where INTEGER would refuse fractions and sums over 2^53.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value REAL NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE dependency (
     key TEXT PRIMARY KEY,
     source TEXT NOT NULL,
     destination_kind TEXT NOT NULL,
     destination TEXT NOT NULL,
     destination_port INTEGER NOT NULL,
     destination_host TEXT,
     protocol TEXT NOT NULL,
     origin TEXT NOT NULL,
     state TEXT NOT NULL,
     relay_reason TEXT,
     first_seen REAL NOT NULL,
     last_seen REAL NOT NULL,
     connections REAL NOT NULL,
     requests REAL NOT NULL,
     bytes_sent REAL NOT NULL,
     bytes_received REAL NOT NULL,
     errors REAL NOT NULL,
     promoted_at REAL,
     confirmed_at REAL,
     relayed_at REAL
   ) STRICT, WITHOUT ROWID;`,
  'ALTER TABLE dependency ADD COLUMN cooled_at REAL',
];

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function refuseForeign(database: DatabaseSync, path: string): void {
  const tables = Number(database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.['tables']);
  if (tables === 0 || pragma(database, 'application_id') === APPLICATION_ID) return;
  const reason = 'is a database of another program; name another file with --store-path';
  throw new LazyscopeError('StoreUnusable', `${path} ${reason}`);
}

/**
 * Brings the database to the newest schema, in one transaction.
 *
 * @throws LazyscopeError `StoreUnusable` for a newer version's database, and for one that is not ours.
 */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[] = MIGRATIONS): void {
  refuseForeign(database, path);
  const version = pragma(database, 'user_version');
  if (version > migrations.length) {
    const reason = `was written by a newer Lazyscope (schema ${version}, this one knows ${migrations.length})`;
    throw new LazyscopeError('StoreUnusable', `${path} ${reason}; upgrade, or name another file with --store-path`);
  }
  if (version === migrations.length) return;
  inTransaction(database, () => {
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${migrations.length}`);
  });
}
