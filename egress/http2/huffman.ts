/** The Huffman code of HPACK: RFC 7541 section 5.2 and Appendix B. */

/**
 * Length in bits of the code of each symbol, as digits in base 32; the last symbol is the end of a string. The code is
 * canonical: codes of one length follow one another in the order of their symbols, so lengths are all that is needed.
 */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';
const END_OF_STRING = 256;
/** Bits that are looked at together; longer codes take several tables. */
const STEP = 8;
const SYMBOL_BITS = 9;
const SYMBOL_MASK = (1 << SYMBOL_BITS) - 1;

/**
 * Tables of 256 entries behind one another, the first one for the beginning of a code. An entry is the number of another
 * table, negative, or a symbol with the number of bits that belong to it.
 */
const TABLES = buildTables();

function buildTables(): Int16Array {
  const entries: number[] = new Array(256).fill(0);
  let code = 0;
  for (let length = 1; length <= 30; length += 1) {
    for (let symbol = 0; symbol <= END_OF_STRING; symbol += 1) {
      if (Number.parseInt(LENGTHS.charAt(symbol), 32) !== length) continue;
      enter(entries, code, length, symbol);
      code += 1;
    }
    code *= 2;
  }
  return Int16Array.from(entries);
}

function enter(entries: number[], code: number, length: number, symbol: number): void {
  let table = 0;
  let left = length;
  for (; left > STEP; left -= STEP) {
    const at = table * 256 + ((code >>> (left - STEP)) & 0xff);
    if (entries[at] === 0) {
      entries[at] = -entries.length / 256;
      entries.push(...new Array(256).fill(0));
    }
    table = -(entries[at] ?? 0);
  }
  const first = table * 256 + ((code << (STEP - left)) & 0xff);
  entries.fill((left << SYMBOL_BITS) | symbol, first, first + (1 << (STEP - left)));
}

/** Decodes `bytes` from `start` to `end`. @returns latin1; `undefined` where that is no Huffman-coded string */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  // The shortest code has 5 bits.
  const out = Buffer.allocUnsafe(Math.floor(((end - start) * 8) / 5));
  let length = 0;
  let table = 0;
  let bits = 0;
  let count = 0;
  for (let at = start; at < end; at += 1) {
    bits = ((bits << 8) | (bytes[at] ?? 0)) & 0xffff;
    count += 8;
    while (count >= STEP) {
      const entry = TABLES[table * 256 + ((bits >>> (count - STEP)) & 0xff)] ?? 0;
      if (entry < 0) {
        table = -entry;
        count -= STEP;
        continue;
      }
      const symbol = entry & SYMBOL_MASK;
      if (symbol === END_OF_STRING) return undefined;
      out[length++] = symbol;
      count -= entry >>> SYMBOL_BITS;
      table = 0;
    }
  }
  return finish({ out, length, table, bits, count });
}

interface Rest {
  readonly out: Buffer;
  readonly length: number;
  readonly table: number;
  readonly bits: number;
  readonly count: number;
}

/** What is left may be short codes, then at most 7 bits of padding, all of them ones. */
function finish({ out, length, table, bits, count }: Rest): string | undefined {
  let left = count;
  let end = length;
  let from = table;
  while (left > 0) {
    const padded = ((bits << (STEP - left)) | (0xff >>> left)) & 0xff;
    const entry = TABLES[from * 256 + padded] ?? 0;
    const used = entry >>> SYMBOL_BITS;
    if (entry < 0 || used > left) break;
    out[end++] = entry & SYMBOL_MASK;
    left -= used;
    from = 0;
  }
  const ones = (1 << left) - 1;
  return from === 0 && (bits & ones) === ones ? out.toString('latin1', 0, end) : undefined;
}
