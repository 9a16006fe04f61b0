/**
 * PROXY protocol version 2, binary form only: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt section 2.2.
 * Sidecars send it before the first byte of a connection; it names the pod and the original destination.
 */
import type { SocketAddress } from '../controller/core/model.ts';
import { canonicalAddress } from './address.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_LENGTH = 16;
/** Addresses and TLVs together. Envoy sends 12 or 36 bytes of addresses and, where asked to, short TLVs. */
const MAX_VARIABLE_LENGTH = 4096;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

/** Longest header that is read. */
export const MAX_PROXY_HEADER_BYTES = FIXED_LENGTH + MAX_VARIABLE_LENGTH;

export type ProxyHeader =
  | { readonly kind: 'Incomplete' }
  | { readonly kind: 'Broken'; readonly reason: string }
  | {
      readonly kind: 'Complete';
      readonly source: SocketAddress;
      readonly destination: SocketAddress;
      /** Bytes of the header; payload follows. */
      readonly length: number;
    };

const INCOMPLETE: ProxyHeader = { kind: 'Incomplete' };

/** Reads the header at the start of what a connection has sent so far. Call again with more while `Incomplete`. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  const compared = Math.min(bytes.length, SIGNATURE.length);
  if (SIGNATURE.compare(bytes, 0, compared, 0, compared) !== 0) return broken('no PROXY protocol v2 signature');
  const command = bytes[12];
  if (command === undefined) return INCOMPLETE;
  if (command !== 0x21)
    return broken(command === 0x20 ? 'command LOCAL names no source' : 'unknown version or command');
  const family = bytes[13];
  if (family === undefined) return INCOMPLETE;
  if (family !== TCP_OVER_IPV4 && family !== TCP_OVER_IPV6) return broken('address family is neither TCP4 nor TCP6');
  if (bytes.length < FIXED_LENGTH) return INCOMPLETE;
  return parseAddresses(bytes, family === TCP_OVER_IPV4 ? 4 : 16);
}

function parseAddresses(bytes: Buffer, size: 4 | 16): ProxyHeader {
  const variableLength = bytes.readUInt16BE(14);
  if (variableLength < 2 * size + 4) return broken('too short for its addresses');
  if (variableLength > MAX_VARIABLE_LENGTH) return broken(`longer than ${MAX_VARIABLE_LENGTH} bytes`);
  const length = FIXED_LENGTH + variableLength;
  if (bytes.length < length) return INCOMPLETE;
  const ports = FIXED_LENGTH + 2 * size;
  return {
    kind: 'Complete',
    source: { address: readAddress(bytes, FIXED_LENGTH, size), port: bytes.readUInt16BE(ports) },
    destination: { address: readAddress(bytes, FIXED_LENGTH + size, size), port: bytes.readUInt16BE(ports + 2) },
    length,
  };
}

function readAddress(bytes: Buffer, at: number, size: 4 | 16): string {
  if (size === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`;
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(at + 2 * group).toString(16));
  return canonicalAddress(groups.join(':'));
}

function broken(reason: string): ProxyHeader {
  return { kind: 'Broken', reason };
}
