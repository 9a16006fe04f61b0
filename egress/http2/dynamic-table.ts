import type { HeaderField } from './header-block.ts';

/** RFC 7541 section 4.1: what an entry, or a field of a header list, takes besides its texts. */
const OVERHEAD_BYTES = 32;
/** RFC 9113 section 6.5.2. */
const INITIAL_BYTES = 4096;

/** Size of a field as tables and header lists count it. */
export function fieldBytes({ name, value }: HeaderField): number {
  return name.length + value.length + OVERHEAD_BYTES;
}

/** RFC 7541 section 2.3.2. */
export class DynamicTable {
  /** Oldest first. */
  #entries: HeaderField[] = [];
  #bytes = 0;
  #maxBytes = INITIAL_BYTES;

  /** @param index 0 for the newest entry */
  at(index: number): HeaderField | undefined {
    return this.#entries[this.#entries.length - 1 - index];
  }

  /** An entry larger than the table empties it. */
  add(field: HeaderField): void {
    this.#entries.push(field);
    this.#bytes += fieldBytes(field);
    this.#evict();
  }

  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#evict();
  }

  #evict(): void {
    let evicted = 0;
    for (; this.#bytes > this.#maxBytes; evicted += 1) {
      const entry = this.#entries[evicted];
      if (entry) this.#bytes -= fieldBytes(entry);
    }
    if (evicted > 0) this.#entries.splice(0, evicted);
  }
}
