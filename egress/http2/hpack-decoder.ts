import { DynamicTable, fieldBytes } from './dynamic-table.ts';
import type { HeaderBlock, HeaderField } from './header-block.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

/** Longest list of fields that is decoded: a few bytes can name a large entry again and again. */
const MAX_LIST_BYTES = 64 * 1024;
/** Largest table that is kept. An encoder that wants a larger one is not followed. */
const MAX_TABLE_BYTES = 64 * 1024;
/** Larger numbers mean nothing in a block that fits into memory. */
const MAX_INTEGER = 2 ** 24;

class Malformed extends Error {}

/**
 * Decodes the header blocks of one direction of a connection (RFC 7541), each of which depends on those before it. The
 * table follows what the encoder says of its size: whether that is within the peer's settings is the peer's to judge.
 */
export class HpackDecoder {
  readonly #table = new DynamicTable();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @returns `undefined` where the block is malformed or too large: then no other can be decoded either */
  decode(block: Buffer): HeaderBlock | undefined {
    this.#bytes = block;
    this.#at = 0;
    try {
      return { tableSizes: this.#tableSizes(), fields: this.#fields() };
    } catch (error) {
      if (error instanceof Malformed) return undefined;
      throw error;
    }
  }

  #tableSizes(): readonly number[] {
    const sizes: number[] = [];
    while (((this.#bytes[this.#at] ?? 0) & 0xe0) === 0x20) {
      const size = this.#integer(5);
      if (size > MAX_TABLE_BYTES) throw new Malformed();
      this.#table.resize(size);
      sizes.push(size);
    }
    return sizes;
  }

  #fields(): readonly HeaderField[] {
    const fields: HeaderField[] = [];
    let bytes = 0;
    while (this.#at < this.#bytes.length) {
      const field = this.#field();
      bytes += fieldBytes(field);
      if (bytes > MAX_LIST_BYTES) throw new Malformed();
      fields.push(field);
    }
    return fields;
  }

  #field(): HeaderField {
    const first = this.#bytes[this.#at] ?? 0;
    if (first & 0x80) return this.#entry(this.#integer(7));
    if (first & 0x40) {
      const field = this.#literal(6, false);
      this.#table.add(field);
      return field;
    }
    // A new size may stand at the start of a block alone.
    if (first & 0x20) throw new Malformed();
    return this.#literal(4, (first & 0x10) !== 0);
  }

  #literal(prefixBits: number, isNeverIndexed: boolean): HeaderField {
    const index = this.#integer(prefixBits);
    const name = index === 0 ? this.#text() : this.#entry(index).name;
    return { name, value: this.#text(), isNeverIndexed };
  }

  #entry(index: number): HeaderField {
    const entry = STATIC_TABLE[index - 1] ?? this.#table.at(index - 1 - STATIC_TABLE.length);
    if (index === 0 || !entry) throw new Malformed();
    return entry;
  }

  #text(): string {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#bytes.length) throw new Malformed();
    this.#at = end;
    const text = isHuffman ? decodeHuffman(this.#bytes, start, end) : this.#bytes.toString('latin1', start, end);
    if (text === undefined) throw new Malformed();
    return text;
  }

  /** RFC 7541 section 5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (value > MAX_INTEGER || factor > MAX_INTEGER) throw new Malformed();
      if (byte < 0x80) return value;
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Malformed();
    this.#at += 1;
    return byte;
  }
}
