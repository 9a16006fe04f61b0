import { isIPv6 } from 'node:net';
import type { SocketAddress } from '../../../controller/core/model.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const inHex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...octets) => {
    const [a = 0, b = 0, c = 0, d = 0] = octets.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [before = [], after = []] = inHex.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [at, group] of [...before, ...zeros, ...after].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * at);
  }
  return bytes;
}

/** A PROXY protocol v2 header as a sidecar sends it. */
export function proxyHeader(source: SocketAddress, destination: SocketAddress, tlvs = Buffer.alloc(0)): Buffer {
  const addresses = Buffer.concat([addressBytes(source.address), addressBytes(destination.address)]);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const fixed = Buffer.from([0x21, isIPv6(source.address) ? 0x21 : 0x11, 0, 0]);
  fixed.writeUInt16BE(addresses.length + ports.length + tlvs.length, 2);
  return Buffer.concat([SIGNATURE, fixed, addresses, ports, tlvs]);
}
