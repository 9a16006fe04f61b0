import type { Resource, ResourceType } from '../model.ts';
import type { Message } from '../resources/message.ts';

/** What the core cannot do itself: the wire format and a hash belong to the shells. */
export interface Encoding {
  /** Deterministic: equal messages give equal bytes. */
  encode(type: ResourceType, message: Message): Uint8Array;
  /** A text that differs where the bytes do. */
  hash(bytes: Uint8Array): string;
}

const RELAYED_PREFIX = 'relayed-';

/**
 * Whether a version is that of a cluster in the form that leads to the egress. A reconnecting Envoy lists names and
 * versions only, and this tells what it has learned from what it merely holds.
 */
export function isRelayedVersion(version: string): boolean {
  return version.startsWith(RELAYED_PREFIX);
}

/** A message as resource; its version is the hash of its bytes. */
export function encodeResource(encoding: Encoding, type: ResourceType, name: string, message: Message): Resource {
  return resourceOf(encoding, type, name, [encoding.encode(type, message)]);
}

/**
 * The same for a message that was encoded in parts.
 * @param parts each a message of this type; of fields that are no lists, each stands in one of them
 */
export function resourceOf(
  encoding: Encoding,
  type: ResourceType,
  name: string,
  parts: readonly Uint8Array[],
): Resource {
  const bytes = joined(parts);
  return { type, name, version: encoding.hash(bytes), bytes };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/** The same for a cluster in the form that leads to the egress: see {@link isRelayedVersion}. */
export function asRelayed(resource: Resource): Resource {
  return { ...resource, version: RELAYED_PREFIX + resource.version };
}
