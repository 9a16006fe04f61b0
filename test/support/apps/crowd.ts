/** Many callers in one pod: each has an address of its own, and crosses the egress as its sidecar would make it. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { proxyHeader } from '../proxy-header.ts';

export interface Destination {
  readonly address: string;
  readonly port: number;
  readonly host: string;
}

/** Gives the pod more addresses. */
export function addAddresses(addresses: readonly string[]): void {
  for (const address of addresses) execFileSync('ip', ['addr', 'add', `${address}/16`, 'dev', 'eth0']);
}

/** One HTTP/1 request on a connection of its own; fails unless the answer is 200. */
export async function callAs(source: string, egress: Omit<Destination, 'host'>, to: Destination): Promise<void> {
  const socket = connect({ host: egress.address, port: egress.port, localAddress: source });
  await once(socket, 'connect');
  const from = { address: source, port: socket.localPort ?? 0 };
  socket.write(proxyHeader(from, { address: to.address, port: to.port }));
  socket.write(`GET /peer HTTP/1.1\r\nhost: ${to.host}\r\nconnection: close\r\n\r\n`);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    answer += chunk;
  });
  await once(socket, 'close');
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`${source} -> ${to.host}: ${answer.slice(0, 100)}`);
}
