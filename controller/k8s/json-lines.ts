/** JSON values, one a line, from chunks that end anywhere. */
import { LazyscopeError } from '../core/error.ts';

const LINE_FEED = 0x0a;

/** Cuts chunks into lines, and holds what of a line has come, up to a limit. */
export class JsonLines {
  readonly #maxLineBytes: number;
  #pieces: Buffer[] = [];
  #length = 0;

  /** @param maxLineBytes longest line without its line feed */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /**
   * The values of the lines that this chunk completes.
   * @throws LazyscopeError `InvalidBytes` for a line that is too long or no JSON; nothing more can be read then
   */
  push(chunk: Buffer): unknown[] {
    const values: unknown[] = [];
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      const line = this.#take();
      if (line !== '') values.push(parse(line));
    }
    this.#keep(chunk.subarray(from));
    return values;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    if (this.#length > this.#maxLineBytes) {
      throw new LazyscopeError('InvalidBytes', `a line is longer than ${this.#maxLineBytes} bytes`);
    }
    this.#pieces.push(piece);
  }

  #take(): string {
    const line = Buffer.concat(this.#pieces).toString().trim();
    this.#pieces = [];
    this.#length = 0;
    return line;
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw LazyscopeError.from('InvalidBytes', 'a line is no JSON', error);
  }
}
