/** PROXY protocol version 2 headers of TCP over IPv4, section 2.2 of https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt */
import type { SocketAddress } from '../../controller/core/model.ts';

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const VERSION_2_PROXY = 0x21;
const TCP_OVER_IPV4 = 0x11;

function octets(address: string): Buffer {
  return Buffer.from(address.split('.').map(Number));
}

function port(number: number): Buffer {
  return Buffer.from([number >> 8, number & 255]);
}

/** The header that says "I speak for `source`, which dialled `destination`". */
export function proxyHeader(source: SocketAddress, destination: SocketAddress): Buffer {
  const addresses = [octets(source.address), octets(destination.address), port(source.port), port(destination.port)];
  return Buffer.concat([SIGNATURE, Buffer.from([VERSION_2_PROXY, TCP_OVER_IPV4, 0, 12]), ...addresses]);
}

/** Reads what {@link proxyHeader} writes, from the start of a connection's bytes. */
export function readProxyHeader(bytes: Uint8Array): {
  readonly source: SocketAddress;
  readonly destination: SocketAddress;
} {
  const header = Buffer.from(bytes);
  if (!header.subarray(0, 12).equals(SIGNATURE)) throw new Error('these bytes do not start with a PROXY header');
  const address = (offset: number): string => [...header.subarray(offset, offset + 4)].join('.');
  return {
    source: { address: address(16), port: header.readUInt16BE(24) },
    destination: { address: address(20), port: header.readUInt16BE(26) },
  };
}
