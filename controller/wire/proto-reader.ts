/**
 * Reads the protobuf wire format without knowing a schema: https://protobuf.dev/programming-guides/encoding/. A hot path:
 * it skips what nobody asks for, makes no objects and never throws.
 */
import { isUtf8 } from 'node:buffer';

/** As in protoc and protobufjs. */
const DEEPEST = 100;
const NO_BYTES = Buffer.alloc(0);

const CUT_SHORT = 'it is cut short';
const BAD_TAG = 'a tag is malformed';
const BAD_LENGTH = 'a length is malformed';
const BAD_VARINT = 'a varint has more than 10 bytes';
const BAD_WIRE_TYPE = 'a field has no valid wire type';
const BAD_GROUP = 'a group does not end';
const TOO_DEEP = `groups are nested more than ${DEEPEST} deep`;
const NO_TEXT = 'a string is not UTF-8';

/**
 * A cursor over one message. The first fault sticks: from then on there are no more fields, and values mean nothing.
 *
 * A message is read by `while ((tag = reader.tag()) !== 0)`, where a tag is `number << 3 | wire type`; one that is not
 * asked for, or comes with another wire type than the schema's, is skipped as an unknown field is.
 */
export class ProtoReader {
  #bytes: Buffer = NO_BYTES;
  #position = 0;
  #end = 0;
  #fault: string | undefined;
  /** Of the range that was read last. */
  #rangeStart = 0;
  #rangeEnd = 0;

  /** Begins to read these bytes of a buffer. */
  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#position = start;
    this.#end = end;
    this.#fault = undefined;
    this.#noRange();
  }

  /** What is wrong with the bytes, if anything was found to be. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Start of what {@link range} or {@link text} has read; an empty range after a fault. */
  get rangeStart(): number {
    return this.#rangeStart;
  }

  /** End of what {@link range} or {@link text} has read. */
  get rangeEnd(): number {
    return this.#rangeEnd;
  }

  /** The next field's tag; 0 at the end of the message, or when it is faulty. */
  tag(): number {
    if (this.#position >= this.#end) return 0;
    const first = this.#bytes[this.#position] as number;
    if (first >= 8 && first < 0x80) {
      this.#position += 1;
      return first;
    }
    if (first >= 0x80 && this.#position + 1 < this.#end) {
      const second = this.#bytes[this.#position + 1] as number;
      const tag = (first & 0x7f) | (second << 7);
      if (second < 0x80 && tag >= 8) {
        this.#position += 2;
        return tag;
      }
    }
    const tag = this.#varint32(5, BAD_TAG);
    return tag < 8 ? this.#fail(BAD_TAG) : tag;
  }

  /**
   * Enters a message inside the message.
   * @returns what {@link leave} takes
   */
  enter(): number {
    const outer = this.#end;
    this.range();
    if (this.#fault !== undefined) return outer;
    this.#position = this.#rangeStart;
    this.#end = this.#rangeEnd;
    return outer;
  }

  leave(outer: number): void {
    if (this.#fault === undefined) this.#end = outer;
  }

  /** The bytes of a length-delimited field, as {@link rangeStart} and {@link rangeEnd}. */
  range(): void {
    const first = this.#position < this.#end ? (this.#bytes[this.#position] as number) : 0x80;
    if (first < 0x80) this.#position += 1;
    const length = first < 0x80 ? first : this.#varint32(5, BAD_LENGTH);
    if (length > this.#end - this.#position) {
      this.#fail(CUT_SHORT);
      return;
    }
    this.#rangeStart = this.#position;
    this.#rangeEnd = this.#position + length;
    this.#position += length;
  }

  /** A `string`, as {@link rangeStart} and {@link rangeEnd}. Proto3 strings are UTF-8; others are a fault. */
  text(): void {
    this.range();
    const bytes = this.#bytes;
    const end = this.#rangeEnd;
    for (let index = this.#rangeStart; index < end; index += 1) {
      if ((bytes[index] as number) < 0x80) continue;
      if (!isUtf8(bytes.subarray(index, end))) this.rejectText();
      return;
    }
  }

  /** What {@link range} has read should be a `string`, and is none. */
  rejectText(): void {
    this.#fail(NO_TEXT);
  }

  /** A `uint32`: of a longer varint the lower 32 bits. */
  uint32(): number {
    return this.#varint32(10, BAD_VARINT);
  }

  /** An `int32` or an enum. */
  int32(): number {
    return this.#varint32(10, BAD_VARINT) | 0;
  }

  bool(): boolean {
    let bits = 0;
    for (let count = 0; count < 10; count += 1) {
      const byte = this.#byte();
      bits |= byte & 0x7f;
      if (byte < 0x80) return bits !== 0;
    }
    this.#fail(BAD_VARINT);
    return false;
  }

  /** An `int64`, as near as a number gets. */
  int64(): number {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high |= bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if (byte < 0x80) return high * 0x1_0000_0000 + (low >>> 0);
    }
    return this.#fail(BAD_VARINT);
  }

  /**
   * Passes over a field that nobody asks for.
   * @param depth of the message that has it; groups add to it
   */
  skip(tag: number, depth: number): void {
    if (depth > DEEPEST) {
      this.#fail(TOO_DEEP);
      return;
    }
    switch (tag & 7) {
      case 0:
        this.bool();
        return;
      case 1:
        this.#pass(8);
        return;
      case 2:
        this.range();
        return;
      case 3:
        this.#skipGroup(tag >>> 3, depth);
        return;
      case 5:
        this.#pass(4);
        return;
      default:
        this.#fail(BAD_WIRE_TYPE);
    }
  }

  #skipGroup(field: number, depth: number): void {
    for (let tag = this.tag(); tag !== 0; tag = this.tag()) {
      if ((tag & 7) === 4) {
        if (tag >>> 3 !== field) this.#fail(BAD_GROUP);
        return;
      }
      this.skip(tag, depth + 1);
    }
    this.#fail(BAD_GROUP);
  }

  #pass(length: number): void {
    if (length > this.#end - this.#position) this.#fail(CUT_SHORT);
    else this.#position += length;
  }

  /** The lower 32 bits of a varint of at most so many bytes; with 5 it must fit into 32 bits. */
  #varint32(longest: 5 | 10, fault: string): number {
    const bytes = this.#bytes;
    let value = 0;
    let at = this.#position;
    for (let count = 0; count < longest; count += 1) {
      if (at >= this.#end) return this.#fail(CUT_SHORT);
      const byte = bytes[at] as number;
      at += 1;
      if (count < 4) value |= (byte & 0x7f) << (count * 7);
      else if (count === 4) {
        if (longest === 5 && byte > 0x0f) return this.#fail(fault);
        value |= (byte & 0x0f) << 28;
      }
      if (byte < 0x80) {
        this.#position = at;
        return value >>> 0;
      }
    }
    return this.#fail(fault);
  }

  #byte(): number {
    if (this.#position >= this.#end) return this.#fail(CUT_SHORT);
    const byte = this.#bytes[this.#position] as number;
    this.#position += 1;
    return byte;
  }

  /** @returns 0, which ends every loop */
  #fail(fault: string): 0 {
    this.#fault ??= fault;
    this.#end = this.#position;
    this.#noRange();
    return 0;
  }

  #noRange(): void {
    this.#rangeStart = 0;
    this.#rangeEnd = 0;
  }
}
