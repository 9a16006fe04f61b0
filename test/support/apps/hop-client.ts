/** Dials an egress as a sidecar does, with what a sidecar would never show. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { proxyHeader } from '../proxy-header.ts';

interface Address {
  readonly address: string;
  readonly port: number;
}

export interface HopCall {
  readonly egress: Address;
  /** The destination that the PROXY header names. */
  readonly destination: Address;
  /** Folder of an agent's certificates; absent: in clear. */
  readonly certificates?: string;
  readonly request: string;
}

/** Sends a request through the egress; returns the first bytes that come back, or nothing where it was refused. */
export async function callThroughHop({ egress, destination, certificates, request }: HopCall): Promise<string> {
  const transport = connect({ host: egress.address, port: egress.port });
  await new Promise((resolve, reject) => transport.once('connect', resolve).once('error', reject));
  const source = { address: transport.localAddress ?? '', port: transport.localPort ?? 0 };
  transport.write(proxyHeader(source, destination));
  const socket = certificates === undefined ? transport : secured(transport, certificates);
  const answer = new Promise<string>((resolve) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1')));
    socket.once('error', () => resolve(''));
    socket.once('close', () => resolve(''));
  });
  socket.write(request);
  return answer.finally(() => transport.destroy());
}

function secured(socket: Socket, folder: string): Socket {
  const read = (file: string): Buffer => readFileSync(join(folder, file));
  const [key, cert, ca] = [read('key.pem'), read('cert-chain.pem'), read('root-cert.pem')];
  return connectTls({ socket, key, cert, ca, checkServerIdentity: () => undefined, ALPNProtocols: ['istio'] });
}
