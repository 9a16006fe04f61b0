/** Servers of plain TCP and TLS. */
import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { notePeer, peers as seenPeers } from './peers.ts';
import { sha256 } from './sha256.ts';

/** See `peers.ts`: loaded into a pod, this module must offer it itself. */
export const peers = seenPeers;

const serverNames: string[] = [];

/** Server names of all TLS hellos so far. */
export function seenServerNames(): readonly string[] {
  return serverNames;
}

async function listen(server: Server, port: number): Promise<void> {
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
}

/** Speaks first, as mail and database servers do, then echoes. */
export async function listenServerFirst(port: number): Promise<void> {
  const server = createServer((socket) => {
    notePeer(socket);
    socket.write('220 ready\r\n');
    socket.pipe(socket);
  });
  await listen(server, port);
}

/** Answers only when the client has ended its side: with the hash of all it sent. */
export async function listenHalfClosed(port: number): Promise<void> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    notePeer(socket);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('end', () => socket.end(sha256(Buffer.concat(chunks))));
  });
  await listen(server, port);
}

/** Ends a connection with RST as soon as anything comes. */
export async function listenResetting(port: number): Promise<void> {
  const server = createServer((socket) => {
    notePeer(socket);
    socket.once('data', () => socket.resetAndDestroy());
  });
  await listen(server, port);
}

/** Echoes inside TLS. */
export async function listenTls(port: number, keyFile: string, certificateFile: string): Promise<void> {
  const identity = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const server = createTlsServer(identity, (socket: TLSSocket) => {
    notePeer(socket);
    serverNames.push(String(socket.servername));
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  await listen(server, port);
}
