import { LazyscopeError } from '../../core/error.ts';
import { ProtoReader } from '../proto-reader.ts';
import type { MessageKind } from './protobuf-fields.ts';

/** What every answer in protobuf begins with. */
export const MAGIC = Buffer.from('k8s\0', 'latin1');

/** Longest field that is waited for: etcd takes objects up to 1.5 MiB. */
const MAX_FIELD_BYTES = 16 * 1024 * 1024;
const NO_BYTES = Buffer.alloc(0);
/** Tags of `Unknown`, the envelope, and of every list. */
const RAW = 0x12;
const LIST_METADATA = 0x0a;
const ITEM = 0x12;

/** How a list's parts are read. */
export interface ListKind {
  readonly metadata: MessageKind;
  readonly item: MessageKind;
}

/** Where a field's value is; `undefined` while it has not come completely. */
interface Field {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a list while it comes, so that hardly more of it than one object is held at a time: of ten thousand pods the whole
 * is a hundred megabytes.
 */
export class ListStream {
  readonly #kind: ListKind;
  readonly #reader = new ProtoReader();
  #bytes: Buffer = NO_BYTES;
  #position = 0;
  #isBegun = false;
  #hasList = false;
  /** Bytes that are left of the list; `undefined` outside of it. */
  #left: number | undefined;
  #metadata: Readonly<Record<string, unknown>> = {};

  constructor(kind: ListKind) {
    this.#kind = kind;
  }

  /** `metadata` of the list, once all has come. */
  get metadata(): Readonly<Record<string, unknown>> {
    return this.#metadata;
  }

  /**
   * @returns the items that this chunk completes
   * @throws LazyscopeError `InvalidBytes`
   */
  push(chunk: Buffer): unknown[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#position = 0;
    const items: unknown[] = [];
    if (this.#begins()) for (let field = this.#next(); field; field = this.#next()) this.#take(field, items);
    this.#bytes = this.#bytes.subarray(this.#position);
    if (this.#bytes.length > MAX_FIELD_BYTES) throw invalid(`a field is longer than ${MAX_FIELD_BYTES} bytes`);
    return items;
  }

  /** @throws LazyscopeError `InvalidBytes` where the list is not complete */
  end(): void {
    if (this.#left === 0) this.#left = undefined;
    if (!this.#hasList || this.#left !== undefined || this.#bytes.length > 0) throw invalid('it ends halfway');
  }

  #begins(): boolean {
    if (this.#isBegun) return true;
    if (this.#bytes.length < MAGIC.length) return false;
    if (!this.#bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw invalid('it does not begin as protobuf does');
    this.#position = MAGIC.length;
    this.#isBegun = true;
    return true;
  }

  /** The next field, completely; of the envelope's `raw` only its beginning. */
  #next(): Field | undefined {
    if (this.#left === 0) this.#left = undefined;
    const at = this.#position;
    const tag = this.#varint(at);
    const length = tag && this.#varint(tag.end);
    if (!tag || !length) return undefined;
    if ((tag.value & 7) !== 2) throw invalid('a field has an unexpected wire type');
    const field = { tag: tag.value, start: length.end, end: length.end + length.value };
    const isList = this.#left === undefined && field.tag === RAW;
    if (!isList && field.end > this.#bytes.length) return undefined;
    this.#position = isList ? field.start : field.end;
    this.#hasList ||= isList;
    if (isList) this.#left = length.value;
    else if (this.#left !== undefined) this.#left -= field.end - at;
    if (this.#left !== undefined && this.#left < 0) throw invalid('an item is longer than its list');
    return isList ? { ...field, tag: 0 } : field;
  }

  #take({ tag, start, end }: Field, items: unknown[]): void {
    if (this.#left === undefined || tag === 0) return;
    if (tag === ITEM) items.push(this.#read(this.#kind.item, start, end));
    else if (tag === LIST_METADATA) this.#metadata = this.#read(this.#kind.metadata, start, end);
  }

  #read(kind: MessageKind, start: number, end: number): Readonly<Record<string, unknown>> {
    this.#reader.open(this.#bytes, start, end);
    const value = kind.readFields({ reader: this.#reader, bytes: this.#bytes });
    if (this.#reader.fault !== undefined) throw invalid(this.#reader.fault);
    return value;
  }

  /** A varint of at most 32 bits; `undefined` while it has not come completely. */
  #varint(at: number): { readonly value: number; readonly end: number } | undefined {
    let value = 0;
    for (let count = 0; count < 5; count += 1) {
      const byte = this.#bytes[at + count];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * 2 ** (7 * count);
      if (byte < 0x80) return { value, end: at + count + 1 };
    }
    throw invalid('a tag or length is malformed');
  }
}

function invalid(reason: string): LazyscopeError {
  return new LazyscopeError('InvalidBytes', `a list in protobuf cannot be read: ${reason}`);
}
