import type { DatabaseSync } from 'node:sqlite';

/** All of `work`, durably, or nothing of it. Takes the write lock at once, so that it fails early or not at all. */
export function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
