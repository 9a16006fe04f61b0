/** Addresses as Kubernetes writes them, in the one text form that the registry compares. */
import { isIP, SocketAddress } from 'node:net';
import { z } from 'zod';

const IPV4_MAPPED = '::ffff:';

/**
 * The canonical text of an address: IPv6 lower-case and compressed (RFC 5952), IPv4-mapped IPv6 as IPv4.
 * `undefined` for what is no address, or is one with a zone.
 */
export function canonicalAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family === 0 || text.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  const mapped = address.startsWith(IPV4_MAPPED) ? address.slice(IPV4_MAPPED.length) : '';
  return isIP(mapped) === 4 ? mapped : address;
}

/** A field that must hold an IPv4 or IPv6 address; it comes out in canonical text. */
export const addressSchema = z.string().transform((text, context) => {
  const address = canonicalAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: 'custom', message: `expected an IPv4 or IPv6 address, received "${text}"` });
  return z.NEVER;
});

/**
 * The canonical text of an address or a CIDR block; a block of one address is that address, as istiod reads it.
 * `undefined` for what is neither. Bits behind the prefix are kept as written.
 */
function canonicalRange(text: string): string | undefined {
  const [written = '', prefix, ...more] = text.split('/');
  const address = canonicalAddress(written);
  if (address === undefined || prefix === undefined) return address;
  const isMapped = isIP(address) !== isIP(written);
  const longest = isIP(address) === 4 ? 32 : 128;
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (isMapped || more.length > 0 || !(length <= longest)) return undefined;
  return length === longest ? address : `${address}/${length}`;
}

/** A field that must hold an address or a CIDR block; it comes out in canonical text. */
export const addressRangeSchema = z.string().transform((text, context) => {
  const range = canonicalRange(text);
  if (range !== undefined) return range;
  context.addIssue({ code: 'custom', message: `expected an address or a CIDR block, received "${text}"` });
  return z.NEVER;
});
