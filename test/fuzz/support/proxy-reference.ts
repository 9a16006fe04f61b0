/**
 * A slow reader of PROXY protocol headers, as a second opinion. It follows `struct proxy_hdr_v2` and `union proxy_addr` of
 * section 2.2 of https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt field by field, and checks nothing before it
 * is complete.
 */
import { SocketAddress } from 'node:net';

export interface ReferenceHeader {
  readonly source: { readonly address: string; readonly port: number };
  readonly destination: { readonly address: string; readonly port: number };
  readonly length: number;
}

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const LOCAL = 0;
const PROXY = 1;
const AF_INET = 1;
const AF_INET6 = 2;
const STREAM = 1;

/** @returns `undefined` where the bytes do not hold a whole header of a TCP connection that was proxied */
export function readReferenceHeader(bytes: Uint8Array): ReferenceHeader | undefined {
  if (bytes.length < 16) return undefined;
  const header = {
    sig: [...bytes.slice(0, 12)],
    version: Math.floor((bytes[12] ?? 0) / 16),
    command: (bytes[12] ?? 0) % 16,
    family: Math.floor((bytes[13] ?? 0) / 16),
    protocol: (bytes[13] ?? 0) % 16,
    len: (bytes[14] ?? 0) * 256 + (bytes[15] ?? 0),
  };
  if (header.sig.some((byte, at) => byte !== SIGNATURE[at]) || header.version !== 2) return undefined;
  if (header.command === LOCAL || header.command !== PROXY || header.protocol !== STREAM) return undefined;
  if (bytes.length < 16 + header.len) return undefined;
  const rest = [...bytes.slice(16, 16 + header.len)];
  const take = (count: number): number[] => rest.splice(0, count);
  const size = { [AF_INET]: 4, [AF_INET6]: 16 }[header.family];
  if (size === undefined || rest.length < 2 * size + 4) return undefined;
  const [source, destination] = [textOf(take(size)), textOf(take(size))];
  const [sourcePort, destinationPort] = [numberOf(take(2)), numberOf(take(2))];
  return {
    source: { address: source, port: sourcePort },
    destination: { address: destination, port: destinationPort },
    length: 16 + header.len,
  };
}

function numberOf(bytes: readonly number[]): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** As the operating system writes it, but IPv4 addresses in IPv6 ones as what they are. */
function textOf(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) => numberOf(bytes.slice(2 * at, 2 * at + 2)).toString(16));
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}
