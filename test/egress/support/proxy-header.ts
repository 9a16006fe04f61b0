import { isIPv6, SocketAddress as NodeSocketAddress } from 'node:net';
import type { SocketAddress } from '../../../controller/core/model.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split('.').map(Number));
  const { address: canonical } = new NodeSocketAddress({ address, family: 'ipv6' });
  const [head = '', tail] = canonical.split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [before, after] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return Buffer.from(
    [...before, ...zeros, ...after].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 255];
    }),
  );
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
