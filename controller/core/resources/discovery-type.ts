import type { SocketAddress } from '../model.ts';
import type { Message } from './message.ts';

/**
 * How Envoy finds configured addresses: `STATIC` where all are IP addresses, else by DNS. IPv4 first there: a name
 * with an IPv6 address that the pod's network cannot reach must not hold up the start.
 */
export function discoveryType(addresses: readonly SocketAddress[]): Message {
  if (addresses.every(({ address }) => isIPAddress(address))) return { type: 'STATIC' };
  return { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' };
}

/** A host name holds neither a colon nor digits and dots alone. */
function isIPAddress(address: string): boolean {
  return address.includes(':') || /^[\d.]+$/.test(address);
}
