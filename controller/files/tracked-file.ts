/** One file as it is followed: whether it stands still, what it held, what was said about it. */

import { open } from 'node:fs/promises';
import { reasonOf } from '../core/error.ts';
import type { Problem } from '../core/ports.ts';
import type { ReduceOptions } from '../wire/kubernetes/reduction.ts';
import { type KnownObjects, NO_CONTENT, nextLook, updateKnown } from './file-objects.ts';
import { type FileStatus, fileStatus, isJsonName, type Signature } from './folder.ts';
import { type ChunkCache, type FileContent, readText } from './read-text.ts';
import type { FilesTimings } from './timings.ts';

/** What a file needs from its source. */
export interface FileContext {
  readonly timings: FilesTimings;
  readonly options: ReduceOptions;
  /** Elapsed milliseconds, never set back. */
  readonly elapsed: () => number;
}

/** A file between two looks at it. */
export class TrackedFile {
  readonly path: string;
  /** What it contributes. */
  known: KnownObjects = new Map();
  ignored: FileContent['ignored'] = new Map();
  readonly #context: FileContext;
  #seen: Signature | undefined;
  #written = '';
  #stillSince = 0;
  #restlessSince: number | undefined;
  #read: Signature | undefined;
  #cache: ChunkCache = new Map();

  constructor(path: string, context: FileContext) {
    this.path = path;
    this.#context = context;
  }

  /**
   * Takes note of what `stat` shows.
   * @param age how long ago the file was written, where its own time may be trusted: at start
   */
  look({ signature, written }: FileStatus, age = 0): void {
    const now = this.#context.elapsed();
    if (signature !== this.#seen) {
      this.#seen = signature;
      this.#written = written;
      this.#stillSince = now - Math.max(0, age);
    }
    if (!this.unread) this.#restlessSince = undefined;
    else this.#restlessSince ??= now;
  }

  /** Has changed since it was read. */
  get unread(): boolean {
    return this.#seen !== this.#read;
  }

  /** When it should be read next, on the clock of the context; `undefined` if nothing is open. */
  due(): number | undefined {
    const { stillness, secondLook } = this.#context.timings;
    return this.unread ? this.#stillSince + stillness : nextLook(this.known, secondLook);
  }

  /** A problem while it has kept changing for too long. */
  restlessness(): Problem[] {
    const { restless, stillness } = this.#context.timings;
    if (this.#restlessSince === undefined || this.#context.elapsed() - this.#restlessSince < restless) return [];
    const reason = `keeps changing, so it is not read: write it once, or rename a finished file over it (waiting for ${stillness} ms without a change)`;
    return [{ subject: this.path, reason }];
  }

  /**
   * Reads it again and returns what is wrong with it. `undefined`: it changed while it was read, so it counts as not
   * read.
   */
  async read(): Promise<readonly Problem[] | undefined> {
    const signature = this.#seen;
    try {
      const { text, written } = await readSettled(this.path);
      if (written !== this.#written) return undefined;
      const { path: file, known } = this;
      const { content, cache } = await readText({
        file,
        text,
        json: isJsonName(file),
        options: this.#context.options,
        cache: this.#cache,
      });
      this.#cache = cache;
      this.ignored = content.ignored;
      this.known = updateKnown(known, content, this.#now());
      this.#read = signature;
      return content.problems;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      this.#read = signature;
      return [{ subject: this.path, reason: `cannot be read, its last good objects are kept: ${reasonOf(error)}` }];
    }
  }

  /** It is no longer there: a look that misses everything, the second one when it is due. */
  missed(): void {
    const due = this.due();
    if (this.#seen === undefined && due !== undefined && due > this.#context.elapsed()) return;
    this.#seen = undefined;
    this.#read = undefined;
    this.known = updateKnown(this.known, NO_CONTENT, this.#now());
  }

  #now(): { now: number; secondLook: number } {
    return { now: this.#context.elapsed(), secondLook: this.#context.timings.secondLook };
  }
}

/** The text, and when it was written as the open file has it after reading. */
async function readSettled(path: string): Promise<{ text: string; written: string }> {
  await using file = await open(path);
  const bytes = await file.readFile();
  const { written } = fileStatus(await file.stat());
  return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), written };
}
