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

/** A message as resource. */
export function encodeResource(encoding: Encoding, type: ResourceType, name: string, message: Message): Resource {
  return resourceOf(encoding, type, name, encoding.encode(type, message));
}

/** An encoded message as resource; its version is the hash of its bytes. */
export function resourceOf(encoding: Encoding, type: ResourceType, name: string, bytes: Uint8Array): Resource {
  return { type, name, version: encoding.hash(bytes), bytes };
}

/** The same for a cluster in the form that leads to the egress: see {@link isRelayedVersion}. */
export function asRelayed(resource: Resource): Resource {
  return { ...resource, version: RELAYED_PREFIX + resource.version };
}
