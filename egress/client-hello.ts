/** The server name (SNI) of a TLS ClientHello: RFC 8446 section 4.1.2 and RFC 6066 section 3. */
import { isIPv4 } from 'node:net';

const HANDSHAKE_RECORD = 22;
const RECORD_HEADER_BYTES = 5;
const CLIENT_HELLO = 1;
const SERVER_NAME_EXTENSION = 0;
const HOST_NAME = 0;
/** A hello is some hundred bytes, a few thousand with post-quantum key shares. */
const MAX_HELLO_BYTES = 64 * 1024;
/** RFC 8446 section 5.1. */
const MAX_RECORD_BYTES = 2 ** 14;

export type ClientHello =
  | { readonly kind: 'Incomplete' }
  /** These bytes do not begin a TLS connection. */
  | { readonly kind: 'NotTls' }
  | { readonly kind: 'Tls'; readonly serverName?: string };

const INCOMPLETE: ClientHello = { kind: 'Incomplete' };
const NOT_TLS: ClientHello = { kind: 'NotTls' };
const NAMELESS: ClientHello = { kind: 'Tls' };

/** Reads the start of a connection; the hello may be split over packets and over TLS records. */
export function parseClientHello(bytes: Buffer): ClientHello {
  if (bytes.length === 0) return INCOMPLETE;
  if (bytes[0] !== HANDSHAKE_RECORD) return NOT_TLS;
  if (bytes.length > 1 && bytes[1] !== 3) return NOT_TLS;
  if (bytes.length < RECORD_HEADER_BYTES) return INCOMPLETE;
  if (bytes.readUInt16BE(3) === 0) return NAMELESS;
  if (bytes.length === RECORD_HEADER_BYTES) return INCOMPLETE;
  if (bytes[RECORD_HEADER_BYTES] !== CLIENT_HELLO) return NOT_TLS;
  const handshake = joinRecords(bytes);
  if (handshake.length < 4) return handshake.ended ? NAMELESS : INCOMPLETE;
  const length = handshake.bytes.readUIntBE(1, 3);
  if (length > MAX_HELLO_BYTES) return NAMELESS;
  if (handshake.length < 4 + length) return handshake.ended ? NAMELESS : INCOMPLETE;
  return readHello(new Reader(handshake.bytes.subarray(4, 4 + length)));
}

/** Payload of the handshake records at the start; `ended` where something else follows them. */
function joinRecords(bytes: Buffer): { readonly bytes: Buffer; readonly length: number; readonly ended: boolean } {
  const parts: Buffer[] = [];
  let ended = false;
  let at = 0;
  while (at + RECORD_HEADER_BYTES <= bytes.length) {
    ended = bytes[at] !== HANDSHAKE_RECORD;
    const length = bytes.readUInt16BE(at + 3);
    // A record without payload, which nobody may send, would let a hello grow without end.
    ended ||= length === 0 || length > MAX_RECORD_BYTES;
    if (ended) break;
    const start = at + RECORD_HEADER_BYTES;
    at = start + length;
    parts.push(bytes.subarray(start, at));
  }
  const joined = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  return { bytes: joined, length: joined.length, ended };
}

/** Reads forward; reading past the end gives zeros and empty bytes, so a malformed hello just has no name. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(size: 1 | 2): number {
    const isWithin = this.#at + size <= this.#bytes.length;
    const value = isWithin ? this.#bytes.readUIntBE(this.#at, size) : 0;
    this.#at += size;
    return value;
  }

  take(length: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }
}

function readHello(hello: Reader): ClientHello {
  hello.take(2 + 32); // version and random
  hello.take(hello.number(1)); // session id
  hello.take(hello.number(2)); // cipher suites
  hello.take(hello.number(1)); // compression methods
  const extensions = new Reader(hello.take(hello.number(2)));
  while (!extensions.isAtEnd) {
    const type = extensions.number(2);
    const content = extensions.take(extensions.number(2));
    if (type === SERVER_NAME_EXTENSION) return named(new Reader(content));
  }
  return NAMELESS;
}

function named(extension: Reader): ClientHello {
  const names = new Reader(extension.take(extension.number(2)));
  while (!names.isAtEnd) {
    const type = names.number(1);
    const name = names.take(names.number(2)).toString('latin1');
    if (type === HOST_NAME) return isHostName(name) ? { kind: 'Tls', serverName: name } : NAMELESS;
  }
  return NAMELESS;
}

/** DNS names only, as RFC 6066 section 3 asks: the name becomes part of a report, so nothing else may pass. */
function isHostName(name: string): boolean {
  return name.length <= 253 && !isIPv4(name) && /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/.test(name);
}
