/** Encodes and decodes Envoy's messages by full name. Field names are those of the `.proto` files (snake_case). */
import { readFileSync } from 'node:fs';
import protobuf, { type Type } from 'protobufjs';
import { fromJsonForm } from './well-known.ts';

const root = protobuf.Root.fromJSON(JSON.parse(readFileSync(new URL('./gen/envoy.json', import.meta.url), 'utf8')));

const TYPE_URL_PREFIX = 'type.googleapis.com/';

/** A message as plain data, in the form that {@link encode} takes. */
export type PlainMessage = { readonly [field: string]: unknown };

/**
 * The reflected type of a message.
 * @param name full name, with or without `type.googleapis.com/`
 * @throws if no compiled `.proto` file declares it
 */
export function messageType(name: string): Type {
  return root.lookupType(name.startsWith(TYPE_URL_PREFIX) ? name.slice(TYPE_URL_PREFIX.length) : name);
}

/**
 * Bytes of a message given in proto3 JSON form (`@type` in an Any, durations as `'5s'`). Deterministic: equal
 * content gives equal bytes.
 * @throws TypeError naming the field, if a name or value does not fit the message
 */
export function encode(name: string, message: PlainMessage): Uint8Array {
  const type = messageType(name);
  return type.encode(type.fromObject(fromJsonForm(type, message))).finish();
}

/**
 * Plain data of encoded bytes: enums as names, 64-bit numbers as numbers, `bytes` as Buffer, absent scalars as defaults.
 * @throws RangeError if the bytes are truncated or malformed
 */
export function decode(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = messageType(name);
  return type.toObject(type.decode(bytes), { enums: String, longs: Number, defaults: true, oneofs: true });
}
