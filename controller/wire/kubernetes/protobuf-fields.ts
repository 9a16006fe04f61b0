/**
 * Turns protobuf into the plain values that JSON would have been parsed to, by tables of the fields that somebody reads.
 * All others are passed over unseen: most of a Pod is.
 */
import type { ProtoReader } from '../proto-reader.ts';
import { RecurringTexts } from '../recurring-texts.ts';

/** Bytes, and a reader that stands somewhere in them. */
interface Input {
  readonly reader: ProtoReader;
  readonly bytes: Buffer;
}

/** How a field's value is read. */
export interface FieldKind {
  readonly wireType: 0 | 2;
  /** @param before what an earlier field of the same number came to */
  read(input: Input, before: unknown): unknown;
}

/** A message, as a field or as all that there is. */
export interface MessageKind extends FieldKind {
  /** Reads on to the end of the message that the reader is in. */
  readFields(input: Input): Readonly<Record<string, unknown>>;
}

/** What is skipped lies this deep in any case. */
const DEPTH = 1;

const same = new RecurringTexts((text) => text);

/** What is not UTF-8 is replaced, as in JSON: the API server takes such texts from clients that write protobuf. */
function readText({ reader, bytes }: Input): string {
  reader.range();
  return bytes.toString('utf8', reader.rangeStart, reader.rangeEnd);
}

function readRecurring({ reader, bytes }: Input): string {
  reader.range();
  const { rangeStart, rangeEnd } = reader;
  return same.get(bytes, rangeStart, rangeEnd) ?? bytes.toString('utf8', rangeStart, rangeEnd);
}

/** A `string` that hardly any other object has. */
export const text: FieldKind = { wireType: 2, read: readText };

/** A `string` that many objects have: they share one copy. */
export const recurring: FieldKind = { wireType: 2, read: readRecurring };

export const number: FieldKind = { wireType: 0, read: ({ reader }) => reader.int32() };

export const boolean: FieldKind = { wireType: 0, read: ({ reader }) => reader.bool() };

/** A message as an object with these fields, by name with number and kind; those that are not sent are absent. */
export function message(fields: Readonly<Record<string, readonly [number: number, kind: FieldKind]>>): MessageKind {
  const byTag: ({ readonly name: string; readonly kind: FieldKind } | undefined)[] = [];
  for (const [name, [fieldNumber, kind]] of Object.entries(fields)) {
    byTag[(fieldNumber << 3) | kind.wireType] = { name, kind };
  }
  const readFields = (input: Input): Record<string, unknown> => {
    const { reader } = input;
    const value: Record<string, unknown> = {};
    for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
      const field = byTag[tag];
      if (field) value[field.name] = field.kind.read(input, value[field.name]);
      else reader.skip(tag, DEPTH);
    }
    return value;
  };
  const read = (input: Input): object => {
    const outer = input.reader.enter();
    const value = readFields(input);
    input.reader.leave(outer);
    return value;
  };
  return { wireType: 2, read, readFields };
}

/** A `repeated` field. */
export function list(kind: FieldKind): FieldKind {
  const read = (input: Input, before: unknown): unknown[] => {
    const items = Array.isArray(before) ? before : [];
    items.push(kind.read(input, undefined));
    return items;
  };
  return { wireType: kind.wireType, read };
}

const ENTRY = message({ key: [1, recurring], value: [2, recurring] });

/** A `map<string, string>`. */
export const texts: FieldKind = {
  wireType: 2,
  read: (input, before) => {
    const { key = '', value = '' } = ENTRY.read(input, undefined) as { readonly key?: string; readonly value?: string };
    return Object.assign(before ?? {}, { [key]: value });
  },
};

const TIME = message({ seconds: [1, { wireType: 0, read: ({ reader }) => reader.int64() }] });

/** A `Time`, in the text form that JSON has: whole seconds; `null` for none, which Go encodes as an empty message. */
export const time: FieldKind = {
  wireType: 2,
  read: (input) => {
    const { seconds = 0 } = TIME.read(input, undefined) as { readonly seconds?: number };
    if (seconds === 0) return null;
    const date = new Date(seconds * 1_000);
    return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
  },
};

const NUMBER_OR_TEXT = message({ type: [1, number], number: [2, number], text: [3, recurring] });
/** `IntOrString.type` of a text. */
const IS_TEXT = 1;

/** An `IntOrString`. */
export const numberOrText: FieldKind = {
  wireType: 2,
  read: (input) => {
    const { type, ...value } = NUMBER_OR_TEXT.read(input, undefined) as {
      readonly type?: number;
      readonly number?: number;
      readonly text?: string;
    };
    return type === IS_TEXT ? (value.text ?? '') : (value.number ?? 0);
  },
};
