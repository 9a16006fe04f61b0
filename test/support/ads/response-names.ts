/** Reads of a delta response only what it names: a client that is one of a thousand cannot afford more. */
import { Reader } from 'protobufjs';
import { RESOURCE_TYPES, type ResourceType } from '../../../controller/core/model.ts';

export interface ResponseNames {
  readonly type: ResourceType;
  readonly nonce: string;
  /** Version by name. */
  readonly added: ReadonlyMap<string, string>;
  readonly removed: readonly string[];
}

/** Fields of `DeltaDiscoveryResponse`: resources 2, type_url 4, nonce 5, removed_resources 6. */
export function readResponseNames(bytes: Uint8Array): ResponseNames {
  const reader = Reader.create(bytes);
  const added = new Map<string, string>();
  const removed: string[] = [];
  let [typeUrl, nonce] = ['', ''];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 2) readResource(reader, added);
    else if (tag >>> 3 === 4) typeUrl = reader.string();
    else if (tag >>> 3 === 5) nonce = reader.string();
    else if (tag >>> 3 === 6) removed.push(reader.string());
    else reader.skipType(tag & 7);
  }
  const type = RESOURCE_TYPES.find((known) => known === typeUrl);
  if (type === undefined) throw new Error(`a response of type ${typeUrl}`);
  return { type, nonce, added, removed };
}

/** Fields of `Resource`: version 1, name 3. */
function readResource(reader: Reader, added: Map<string, string>): void {
  const end = reader.uint32() + reader.pos;
  let [name, version] = ['', ''];
  while (reader.pos < end) {
    const tag = reader.uint32();
    if (tag >>> 3 === 3) name = reader.string();
    else if (tag >>> 3 === 1) version = reader.string();
    else reader.skipType(tag & 7);
  }
  added.set(name, version);
}
