/** The database as a file: opened durably, set aside when it is corrupt, watched for being taken away. */
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { reasonOf } from '../core/error.ts';
import { lacksFrames, readLogIndex } from './sqlite-log.ts';
import { migrate } from './sqlite-schema.ts';

/** How long another process (a backup, a shell) may hold the file. Everything waits meanwhile, so it is short. */
const BUSY_TIMEOUT_MS = 500;

/** https://sqlite.org/rescode.html */
const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether SQLite says, or we have found, that the file itself is damaged. Extended codes carry the primary one in the low byte. */
export function isCorruption(error: unknown): boolean {
  const code = errorCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

function errorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/**
 * An open database, and whether its path still leads to it. Inode numbers are not reused while we hold the file open,
 * so an equal number is the same file.
 */
export interface DatabaseFile {
  readonly database: DatabaseSync;
  isInPlace(): boolean;
}

/**
 * Opens, or creates, and migrates. Commits are durable when they return: the write-ahead log is synced each time,
 * so they outlive the process and the machine's power.
 *
 * @throws Error that {@link isCorruption} knows, where something of the database, or of its log, is gone
 */
export function openDatabase(path: string): DatabaseFile {
  mkdirSync(dirname(path), { recursive: true });
  refuseEmpty(path);
  const index = readLogIndex(path);
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    if (lacksFrames(database, index)) throw corruption('the newest changes in its log are gone');
    checkPages(database);
    migrate(database, path);
    const inode = inodeOf(path);
    return { database, isInPlace: () => inodeOf(path) === inode };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLite takes an empty file for a new database, and deletes its log. */
function refuseEmpty(path: string): void {
  if (sizeOf(path) === 0) throw corruption('the file is empty');
  if (!existsSync(path) && (sizeOf(`${path}-wal`) ?? 0) > 0) throw corruption('only its log is left');
}

/** A truncated file opens without complaint, and fails on the first page that is gone. */
function checkPages(database: DatabaseSync): void {
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (verdict !== 'ok') throw corruption(String(verdict).replace(/^\*\*\*.*\n/, ''));
}

function corruption(what: string): Error {
  return Object.assign(new Error(what), { errcode: SQLITE_CORRUPT });
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}

/**
 * Prepares a statement that fits every database of our newest schema.
 *
 * @throws Error that {@link isCorruption} knows, where the schema itself is damaged: names in it are no longer ours
 */
export function prepare(database: DatabaseSync, sql: string): StatementSync {
  try {
    return database.prepare(sql);
  } catch (error) {
    if (errorCode(error) === SQLITE_ERROR) throw corruption(reasonOf(error));
    throw error;
  }
}

/** Renames the database, with its log and index, so that it can be looked into. Returns the new name. */
export function setAside(path: string, now: Date): string {
  const aside = `${path}.corrupt-${now.toISOString().replaceAll(':', '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
  }
  return aside;
}
