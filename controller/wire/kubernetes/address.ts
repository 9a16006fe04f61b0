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
