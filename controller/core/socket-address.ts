import type { SocketAddress } from './model.ts';

/** What flags and API parameters must look like, for messages. */
export const SOCKET_ADDRESS_FORM = 'ADDRESS:PORT or [IPV6]:PORT, with a port up to 65535';

/** Reads `host:port` or `[v6]:port`; `undefined` if it is neither. The host may be a name, but no half IPv4 address. */
export function readSocketAddress(text: string): SocketAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:,[\]]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (address === undefined || port > 65_535 || isBrokenIPv4(address)) return undefined;
  return { address, port };
}

/** Digits and dots that are no IPv4 address: a name of that form exists nowhere, so it is a slip. */
function isBrokenIPv4(host: string): boolean {
  if (!/^[\d.]+$/.test(host)) return false;
  const octets = host.split('.');
  return octets.length !== 4 || octets.some((octet) => octet === '' || octet.length > 3 || Number(octet) > 255);
}

/** `address:port`, IPv6 in brackets. */
export function socketAddressText({ address, port }: SocketAddress): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
