/** Tells that committed frames are gone from a write-ahead log. SQLite itself takes what is left for all there was. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

/** https://sqlite.org/walformat.html: "WAL-Index Header", "Checkpoint Info", "WAL Header". */
const INDEX = { mxFrame: 16, salt: 32, nBackfill: 96, headLength: 100 };
const LOG = { salt: 16, checksum: 24, headLength: 32 };
const SALT_LENGTH = 8;

/** What the index (`-shm`) of a log says that the log holds. */
export interface LogIndex {
  /** Frames that were committed. */
  readonly committed: number;
  /** Whether the database itself has them too, so that it is whole without the log. */
  readonly isBackfilled: boolean;
}

/**
 * Reads the index that the last process left beside the database, which SQLite makes anew when it opens it.
 * `undefined` where there is none (the database was closed), or it is of an earlier log (power was lost before it was
 * written), so that it says nothing.
 */
export function readLogIndex(path: string): LogIndex | undefined {
  const index = headOf(`${path}-shm`, INDEX.headLength);
  if (index.length < INDEX.headLength) return undefined;
  // Numbers of the index are in the machine's own byte order, as it is shared memory.
  const [committed = 0] = new Uint32Array(index.buffer.slice(INDEX.mxFrame, INDEX.mxFrame + 4));
  const [backfilled = 0] = new Uint32Array(index.buffer.slice(INDEX.nBackfill, INDEX.nBackfill + 4));
  const log = headOf(`${path}-wal`, LOG.headLength);
  const isOfThisLog = Buffer.compare(saltAt(log, LOG.salt), saltAt(index, INDEX.salt)) === 0;
  if (isSoundHead(log) && !isOfThisLog) return undefined;
  return { committed, isBackfilled: backfilled >= committed };
}

/** Whether an opened database lacks frames of its log, whose index said this before it was opened. */
export function lacksFrames(database: DatabaseSync, index: LogIndex | undefined): boolean {
  if (index === undefined) return false;
  // NOOP (since SQLite 3.51) only counts; an older SQLite checkpoints, which does no harm.
  const found = Number(database.prepare('PRAGMA wal_checkpoint(NOOP)').get()?.['log']);
  // A part of the log would hide newer pages of the database behind older ones.
  return found < index.committed && !(index.isBackfilled && found <= 0);
}

function headOf(path: string, length: number): Uint8Array<ArrayBuffer> {
  if (!existsSync(path)) return new Uint8Array();
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    return bytes.slice(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** https://sqlite.org/walformat.html: "Checksum Algorithm". */
function isSoundHead(log: Uint8Array<ArrayBuffer>): boolean {
  if (log.length < LOG.headLength) return false;
  const view = new DataView(log.buffer);
  // The magic number's last bit tells the byte order of the words that are summed up.
  const isLittleEndian = (view.getUint32(0) & 1) === 0;
  let [even, odd] = [0, 0];
  for (let at = 0; at < LOG.checksum; at += 8) {
    even = (even + view.getUint32(at, isLittleEndian) + odd) >>> 0;
    odd = (odd + view.getUint32(at + 4, isLittleEndian) + even) >>> 0;
  }
  return even === view.getUint32(LOG.checksum) && odd === view.getUint32(LOG.checksum + 4);
}

function saltAt(bytes: Uint8Array, offset: number): Uint8Array {
  return bytes.subarray(offset, offset + SALT_LENGTH);
}
