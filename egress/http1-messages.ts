import { Http1Body } from './http1-body.ts';
import type { Framing } from './http1-head.ts';

/** Longest head that is observed. */
export const MAX_HEAD_BYTES = 64 * 1024;

export const HEAD_END: Buffer = Buffer.from('\r\n\r\n', 'latin1');
const BARE_LINE_FEED = /[^\r]\n/;
/** As many as tell whether a message begins here. */
const START_BYTES = 33;

/** Whether the head in so many bytes, whose end was not found in them, is longer than {@link MAX_HEAD_BYTES}. */
export function isTooLong(length: number): boolean {
  return length - HEAD_END.length + 1 > MAX_HEAD_BYTES;
}

/** What {@link Http1Messages.advance} came to. */
export type MessageEvent =
  /** A head is complete: {@link Http1Messages.head}. The caller must say how its body ends. */
  | 'Head'
  /** The message is complete. */
  | 'End'
  /** All bytes are read. Where a head has begun, the returned offset is its start: bring it again, with more. */
  | 'More'
  /** Not HTTP/1 that is understood; the object is not to be used again. */
  | 'Broken';

/** Walks along the messages of one direction of a connection. Keeps no bytes. */
export class Http1Messages {
  /** Text of the last head in latin1, up to and including the line break of its last line. */
  head = '';
  /** Outcome of the last {@link advance}. */
  event: MessageEvent = 'More';
  readonly #start: RegExp;
  readonly #body = new Http1Body();
  #isInBody = false;
  /** Bytes of an incomplete head that are known to hold no end. */
  #searched = 0;

  /** @param start matches what can begin a message: nothing else is waited for */
  constructor(start: RegExp) {
    this.#start = start;
  }

  /** Whether the next byte is the first of a message. An incomplete head that was handed back does not count. */
  get isBetweenMessages(): boolean {
    return !this.#isInBody;
  }

  /** Says how the body after the last head ends. */
  begin(framing: Framing): void {
    this.#body.begin(framing);
    this.#isInBody = true;
  }

  /** After a head that has no message of its own, such as `100 Continue`. */
  skipBody(): void {
    this.#isInBody = false;
  }

  /** Reads from `offset` to the next event. @returns the offset behind what was read */
  advance(bytes: Buffer, offset: number): number {
    return this.#isInBody ? this.#advanceBody(bytes, offset) : this.#advanceHead(bytes, offset);
  }

  #advanceBody(bytes: Buffer, offset: number): number {
    const end = this.#body.advance(bytes, offset);
    if (this.#body.isBroken) this.event = 'Broken';
    else if (this.#body.isComplete) {
      this.event = 'End';
      this.#isInBody = false;
    } else this.event = 'More';
    return end;
  }

  #advanceHead(bytes: Buffer, offset: number): number {
    const end = bytes.indexOf(HEAD_END, offset + Math.max(0, this.#searched - HEAD_END.length + 1));
    if (end < 0) return this.#incompleteHead(bytes, offset);
    this.#searched = 0;
    this.event = end - offset > MAX_HEAD_BYTES ? 'Broken' : 'Head';
    this.head = this.event === 'Head' ? bytes.toString('latin1', offset, end + 2) : '';
    return end + HEAD_END.length;
  }

  #incompleteHead(bytes: Buffer, offset: number): number {
    const length = bytes.length - offset;
    // To lenient servers a bare line feed ends a line, so the end could already be here without being found.
    const fresh = bytes.toString('latin1', offset + Math.max(0, this.#searched - 1));
    const isStart = this.#start.test(bytes.toString('latin1', offset, offset + START_BYTES));
    const isBroken = isTooLong(length) || !isStart || BARE_LINE_FEED.test(fresh);
    this.event = isBroken ? 'Broken' : 'More';
    this.#searched = length;
    return offset;
  }
}
