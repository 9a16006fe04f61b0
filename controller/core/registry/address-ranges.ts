/** CIDR blocks, and which of them an address lies in. */

interface Bits {
  readonly value: bigint;
  /** 32 or 128. */
  readonly size: number;
}

/** What is kept by block. The most specific blocks are found first. */
export class AddressRanges<T> {
  /** By size and length of the prefix, then by its bits. */
  readonly #byLength = new Map<
    string,
    { readonly size: number; readonly length: number; readonly blocks: Map<bigint, Set<T>> }
  >();

  /** @param range `10.0.0.0/8`; what is no block is not kept */
  add(range: string, item: T): void {
    const block = parseBlock(range);
    if (!block) return;
    const { size, length, prefix } = block;
    const name = `${size}/${length}`;
    const table = this.#byLength.get(name) ?? { size, length, blocks: new Map<bigint, Set<T>>() };
    this.#byLength.set(name, table);
    const items = table.blocks.get(prefix) ?? new Set<T>();
    table.blocks.set(prefix, items.add(item));
  }

  delete(range: string, item: T): void {
    const block = parseBlock(range);
    if (!block) return;
    const name = `${block.size}/${block.length}`;
    const table = this.#byLength.get(name);
    const items = table?.blocks.get(block.prefix);
    items?.delete(item);
    if (items?.size === 0) table?.blocks.delete(block.prefix);
    if (table?.blocks.size === 0) this.#byLength.delete(name);
  }

  /** Items of the blocks around an address, those of the longest prefix first. */
  around(address: string): T[] {
    const bits = this.#byLength.size === 0 ? undefined : parseAddress(address);
    if (!bits) return [];
    return [...this.#byLength.values()]
      .filter(({ size }) => size === bits.size)
      .sort((a, b) => b.length - a.length)
      .flatMap(({ length, blocks }) => [...(blocks.get(prefixOf(bits, length)) ?? [])]);
  }
}

function parseBlock(
  range: string,
): { readonly size: number; readonly length: number; readonly prefix: bigint } | undefined {
  const [address = '', prefix] = range.split('/');
  const bits = parseAddress(address);
  const length = Number(prefix);
  if (!bits || prefix === undefined || !(length >= 0 && length <= bits.size)) return undefined;
  return { size: bits.size, length, prefix: prefixOf(bits, length) };
}

function prefixOf({ value, size }: Bits, length: number): bigint {
  return value >> BigInt(size - length);
}

/** @param text canonical; IPv6 with dots inside is not read */
function parseAddress(text: string): Bits | undefined {
  if (!text.includes(':')) return joined(text.split('.').map(Number), 8, 4);
  const [head = '', tail] = text.split('::');
  const left = groups(head);
  const right = groups(tail ?? '');
  const missing = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return joined([...left, ...Array<number>(missing).fill(0), ...right], 16, 8);
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number(`0x${group}`));
}

function joined(parts: readonly number[], width: number, count: number): Bits | undefined {
  if (parts.length !== count || parts.some((part) => !(part >= 0 && part < 2 ** width))) return undefined;
  return { value: parts.reduce((sum, part) => (sum << BigInt(width)) | BigInt(part), 0n), size: width * count };
}
