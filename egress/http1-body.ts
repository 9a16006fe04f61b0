import { FIELD_LINE, TEXT_CHARACTER } from './http1-grammar.ts';
import type { Framing } from './http1-head.ts';

/** Longest line of a chunked body: a chunk size with its extensions, or a trailer field. */
const MAX_LINE_BYTES = 16 * 1024;
const LINE_FEED = 10;
const CHUNK_SIZE = new RegExp(`^([0-9A-Fa-f]{1,13})[ \\t]*(?:;${TEXT_CHARACTER}*)?\\r$`);
const TRAILER_LINE = new RegExp(`^${FIELD_LINE}$`);

type Part = 'Bytes' | 'Chunk' | 'Size' | 'ChunkEnd' | 'Trailer' | 'Endless';

/** Finds the end of one message body as its bytes pass (RFC 9112 sections 6 and 7.1). */
export class Http1Body {
  #part: Part = 'Bytes';
  /** Bytes that remain of `Bytes` or `Chunk`. */
  #remaining = 0;
  /** Start of a line whose end has not come yet. */
  #line = '';
  #isBroken = false;

  /** The framing is not valid: where the message ends is unknown. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  begin(framing: Framing): void {
    this.#line = '';
    this.#isBroken = false;
    this.#remaining = typeof framing === 'number' ? framing : 0;
    if (typeof framing === 'number') this.#part = 'Bytes';
    else this.#part = framing === 'Chunked' ? 'Size' : 'Endless';
  }

  /** Whether the body has ended before any further byte. */
  get isComplete(): boolean {
    return this.#part === 'Bytes' && this.#remaining === 0;
  }

  /**
   * Reads on from `offset`.
   * @returns where the body ends if {@link isComplete}, else the length of `bytes`
   */
  advance(bytes: Buffer, offset: number): number {
    let at = offset;
    while (at < bytes.length && !this.isComplete && !this.#isBroken) {
      if (this.#part === 'Endless') return bytes.length;
      at = this.#part === 'Bytes' || this.#part === 'Chunk' ? this.#skip(bytes, at) : this.#readLine(bytes, at);
    }
    return at;
  }

  #skip(bytes: Buffer, at: number): number {
    const skipped = Math.min(this.#remaining, bytes.length - at);
    this.#remaining -= skipped;
    if (this.#remaining === 0 && this.#part === 'Chunk') this.#part = 'ChunkEnd';
    return at + skipped;
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(LINE_FEED, at);
    const stop = end < 0 ? bytes.length : end;
    if (this.#line.length + stop - at > MAX_LINE_BYTES) this.#isBroken = true;
    else this.#line += bytes.toString('latin1', at, stop);
    if (end < 0 || this.#isBroken) return bytes.length;
    const line = this.#line;
    this.#line = '';
    this.#endLine(line);
    return end + 1;
  }

  #endLine(line: string): void {
    if (this.#part === 'Size') this.#beginChunk(CHUNK_SIZE.exec(line)?.[1]);
    else if (this.#part === 'ChunkEnd') {
      this.#isBroken = line !== '\r';
      this.#part = 'Size';
    } else if (line === '\r') this.#part = 'Bytes';
    else this.#isBroken = !TRAILER_LINE.test(line);
  }

  #beginChunk(size: string | undefined): void {
    this.#isBroken = size === undefined;
    this.#remaining = Number.parseInt(size ?? '0', 16);
    this.#part = this.#remaining > 0 ? 'Chunk' : 'Trailer';
  }
}
