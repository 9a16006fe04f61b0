import { BlockList, isIP, SocketAddress as NodeSocketAddress } from 'node:net';

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/**
 * One text for one address, so that addresses compare as strings: IPv4 that is mapped into IPv6 (what a dual-stack
 * socket reports) as IPv4, IPv6 as RFC 5952 writes it, without zone. What is no address is returned unchanged.
 */
export function canonicalAddress(address: string): string {
  if (isIP(address) === 4) return address;
  const unscoped = address.replace(/^\[|\]$|%.*$/g, '');
  if (isIP(unscoped) !== 6) return address;
  const canonical = new NodeSocketAddress({ address: unscoped, family: 'ipv6' }).address;
  return MAPPED_IPV4.exec(canonical)?.[1] ?? canonical;
}

/** `ipv4` or `ipv6`, as node:net's BlockList names them. */
function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4';
}

/** A set of addresses, given as CIDRs. */
export class AddressSet {
  readonly #list = new BlockList();

  /** @param cidrs checked ones: see {@link isCidr} */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) {
      const [network = '', prefix = ''] = cidr.split('/');
      this.#list.addSubnet(network, Number(prefix), familyOf(network));
    }
  }

  /** @param address in canonical form */
  has(address: string): boolean {
    return this.#list.check(address, familyOf(address));
  }
}

/** Whether the text is `address/prefix length` of IPv4 or IPv6. */
export function isCidr(text: string): boolean {
  const match = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text);
  const version = isIP(match?.[1] ?? '');
  return version !== 0 && Number(match?.[2]) <= (version === 4 ? 32 : 128);
}
