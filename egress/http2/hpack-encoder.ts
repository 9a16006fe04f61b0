import type { HeaderBlock, HeaderField } from './header-block.ts';
import { staticIndex, staticNameIndex } from './static-table.ts';

/** An integer takes no more; texts are far shorter than 2^28 bytes. */
const MAX_INTEGER_BYTES = 5;

/**
 * Encodes a header block without a dynamic table (RFC 7541 sections 6.1 to 6.3), so that it depends on no other and the
 * decoder's table stays as it is, whatever that holds.
 */
export function encodeHeaderBlock({ tableSizes, fields }: HeaderBlock): Buffer {
  const longest = fields.reduce(
    (sum, { name, value }) => sum + name.length + value.length + 3 * MAX_INTEGER_BYTES,
    tableSizes.length * MAX_INTEGER_BYTES,
  );
  const bytes = Buffer.allocUnsafe(longest);
  let at = 0;
  for (const size of tableSizes) at = writeInteger(bytes, at, { first: 0x20, prefixBits: 5, value: size });
  for (const field of fields) at = writeField(bytes, at, field);
  return bytes.subarray(0, at);
}

function writeField(bytes: Buffer, start: number, field: HeaderField): number {
  const { name, value, isNeverIndexed } = field;
  const index = isNeverIndexed ? 0 : staticIndex(field);
  if (index > 0) return writeInteger(bytes, start, { first: 0x80, prefixBits: 7, value: index });
  const nameIndex = staticNameIndex(name);
  const at = writeInteger(bytes, start, { first: isNeverIndexed ? 0x10 : 0, prefixBits: 4, value: nameIndex });
  return writeText(bytes, nameIndex > 0 ? at : writeText(bytes, at, name), value);
}

function writeText(bytes: Buffer, start: number, text: string): number {
  const at = writeInteger(bytes, start, { first: 0, prefixBits: 7, value: text.length });
  return at + bytes.write(text, at, 'latin1');
}

interface PrefixedInteger {
  /** What the bits before the integer are. */
  readonly first: number;
  readonly prefixBits: number;
  readonly value: number;
}

function writeInteger(bytes: Buffer, start: number, { first, prefixBits, value }: PrefixedInteger): number {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    bytes[start] = first | value;
    return start + 1;
  }
  bytes[start] = first | mask;
  let rest = value - mask;
  let at = start + 1;
  for (; rest >= 128; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at] = rest;
  return at + 1;
}
