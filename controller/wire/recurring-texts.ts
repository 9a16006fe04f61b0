/** A power of two: the workloads of a large mesh, and the names that they call. */
const SLOTS = 32_768;
/** Longer texts are rare and not worth keeping. */
const LONGEST = 64;

/**
 * ASCII texts that come again and again, and what was made of them: an address in a stream is the same few thousand
 * times. Of two texts that share a slot the newer one is kept, so it never grows and nothing that is sent makes it slow.
 */
export class RecurringTexts<T> {
  readonly #convert: (text: string) => T;
  readonly #texts: string[];
  readonly #values: T[];

  constructor(convert: (text: string) => T) {
    this.#convert = convert;
    this.#texts = new Array<string>(SLOTS).fill('');
    this.#values = new Array<T>(SLOTS).fill(convert(''));
  }

  /** What is made of the text of these bytes. */
  get(bytes: Buffer, start: number, end: number): T {
    if (end - start > LONGEST) return this.#convert(bytes.toString('utf8', start, end));
    let hash = end - start;
    let highBits = 0;
    for (let index = start; index < end; index += 1) {
      const byte = bytes[index] as number;
      highBits |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    if (highBits >= 0x80) return this.#convert(bytes.toString('utf8', start, end));
    const slot = (hash ^ (hash >>> 13)) & (SLOTS - 1);
    if (!isText(this.#texts[slot] as string, bytes, start, end)) {
      const text = bytes.toString('latin1', start, end);
      this.#texts[slot] = text;
      this.#values[slot] = this.#convert(text);
    }
    return this.#values[slot] as T;
  }
}

/** Whether the bytes are this ASCII text. */
export function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
