import { isUtf8 } from 'node:buffer';

/** A power of two: the workloads of a large mesh, and the names that they call. */
const SLOT_BITS = 15;
const SLOTS = 1 << SLOT_BITS;
/** Of a text: its last bytes with its length, and four bytes in each of the others. As many as a cache line holds. */
const WORDS = 16;
/** In bytes. Longer texts are rare and not worth keeping. */
const LONGEST = (WORDS - 1) * 4;
/** 2^32 divided by the golden ratio: spreads what it multiplies over the upper bits (Knuth). */
const SPREAD = 0x9e37_79b1;

/**
 * Texts that come again and again, and what was made of them: an address in a stream is the same few thousand times.
 * Slots go in pairs: of the texts that share one the two newest are kept, so it never grows and nothing that is sent
 * makes it slow.
 */
export class RecurringTexts<T> {
  readonly #convert: (text: string) => T;
  /**
   * Where each slot's text and value are: side by side in the order in which slots were first used, so that few texts lie
   * in few pages. Slots that have none yet share the first place, which the empty text has.
   */
  readonly #places = new Uint16Array(SLOTS);
  readonly #words = new Int32Array((1 + SLOTS) * WORDS);
  readonly #values: T[];
  /** Of the text that is asked for. */
  readonly #asked = new Int32Array(WORDS);

  /** @param convert never makes `undefined` */
  constructor(convert: (text: string) => T) {
    this.#convert = convert;
    this.#values = [convert('')];
  }

  /** What is made of the text of these bytes; `undefined` if they are not UTF-8. */
  get(bytes: Uint8Array, start: number, end: number): T | undefined {
    const length = end - start;
    if (length > LONGEST) return this.#convertBytes(bytes, start, end);
    const asked = this.#asked;
    const whole = length >> 2;
    let at = start;
    let hash = 0;
    for (let index = 1; index <= whole; index += 1) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      asked[index] = word;
      hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ word, SPREAD);
      at += 4;
    }
    let last = length;
    for (; at < end; at += 1) last = (last << 8) | (bytes[at] as number);
    asked[0] = last;
    hash = Math.imul(((hash << 5) | (hash >>> 27)) ^ last, SPREAD);
    const slot = hash >>> (32 - SLOT_BITS);
    const place = this.#places[slot] as number;
    if (this.#isAt(place, whole)) return this.#values[place];
    const other = this.#places[slot ^ 1] as number;
    return this.#isAt(other, whole) ? this.#values[other] : this.#keep(slot, bytes, start, end);
  }

  /** Whether this place has the text that is asked for. The first word tells its length, and so which others count. */
  #isAt(place: number, whole: number): boolean {
    const words = this.#words;
    const asked = this.#asked;
    const first = place * WORDS;
    for (let index = 0; index <= whole; index += 1) if (words[first + index] !== asked[index]) return false;
    return true;
  }

  #keep(slot: number, bytes: Uint8Array, start: number, end: number): T | undefined {
    const value = this.#convertBytes(bytes, start, end);
    if (value === undefined) return undefined;
    const place = this.#takePlace(slot);
    this.#words.set(this.#asked, place * WORDS);
    this.#values[place] = value;
    return value;
  }

  /** In this slot. What was there goes to its neighbour, and gives way when both are taken. */
  #takePlace(slot: number): number {
    const places = this.#places;
    const older = places[slot] as number;
    const place = (older === 0 ? 0 : (places[slot ^ 1] as number)) || this.#values.length;
    if (older !== 0) places[slot ^ 1] = older;
    places[slot] = place;
    return place;
  }

  #convertBytes(bytes: Uint8Array, start: number, end: number): T | undefined {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    return isUtf8(text) ? this.#convert(text.toString('utf8')) : undefined;
  }
}
