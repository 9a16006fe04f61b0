/**
 * Keeps a web page that a developer visits from reading a controller on loopback: with DNS rebinding the page's own
 * host name points at 127.0.0.1, and only the Host header tells. Beyond loopback the network decides who may connect.
 */
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Host of a Host header, without port and without the brackets of an IPv6 address, in lower case. */
function hostName(header: string): string {
  return header
    .toLowerCase()
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1');
}

/** Whether a Host header names no host in the DNS, so that no rebound name can have led to it. */
export function isAddressOrLocalhost(header: string | undefined): boolean {
  const host = hostName(header ?? '');
  return host === 'localhost' || isIP(host) !== 0;
}

/** Says whether a Host header may be answered by a server that listens on `listenHost`. Ports are free: people forward them. */
export function hostGuard(listenHost: string): (header: string | undefined) => boolean {
  if (!isLoopback(listenHost)) return () => true;
  const allowed = new Set(['localhost', '127.0.0.1', '::1', listenHost]);
  return (header) => header !== undefined && allowed.has(hostName(header));
}
