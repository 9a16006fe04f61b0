/** Who dialled: how a test tells a direct connection from one that the egress relayed. */
import type { Socket } from 'node:net';

const peersByPort = new Map<number, string[]>();

/** To be called once for each accepted connection. */
export function notePeer(socket: Socket): void {
  const port = socket.localPort ?? 0;
  peersByPort.set(port, [...(peersByPort.get(port) ?? []), socket.remoteAddress ?? '']);
}

/** Addresses that dialled a port of this program, in order. */
export function peers(port: number): readonly string[] {
  return peersByPort.get(port) ?? [];
}
