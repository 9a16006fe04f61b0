/** A client of plain TCP and TLS. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { sha256 } from './sha256.ts';

export interface TcpAddress {
  readonly address: string;
  readonly port: number;
}

export interface Exchange {
  readonly sentHash: string;
  readonly receivedHash: string;
}

async function open({ address, port }: TcpAddress): Promise<Socket> {
  const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Reads exactly that many bytes, or all until the end. */
async function read(socket: Socket, bytes = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  while (length < bytes) {
    const chunk: Buffer | null = socket.read();
    if (chunk) {
      chunks.push(chunk);
      length += chunk.length;
    } else if (socket.readableEnded || socket.destroyed) break;
    else await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
  }
  return Buffer.concat(chunks);
}

/** Waits for a greeting of that many bytes, then sends random bytes, which must come back as they are. */
export async function echoExchange(
  to: TcpAddress,
  greetingBytes: number,
  bytes: number,
): Promise<Exchange & { readonly greeting: string }> {
  const socket = await open(to);
  const greeting = await read(socket, greetingBytes);
  return { greeting: greeting.toString(), ...(await echo(socket, bytes)) };
}

/** The same inside TLS. The certificate is not checked: only whose it is, is. */
export async function tlsExchange(
  to: TcpAddress,
  serverName: string,
  bytes: number,
): Promise<Exchange & { readonly subject: string }> {
  const socket = connectTls({ host: to.address, port: to.port, servername: serverName, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const subject = String(socket.getPeerCertificate().subject.CN);
  return { subject, ...(await echo(socket, bytes)) };
}

async function echo(socket: Socket, bytes: number): Promise<Exchange> {
  const sent = randomBytes(bytes);
  socket.write(sent);
  const received = await read(socket, bytes);
  socket.destroy();
  return { sentHash: sha256(sent), receivedHash: sha256(received) };
}

/** Sends random bytes, ends this side, and reads the other side to its end. */
export async function halfClosedExchange(
  to: TcpAddress,
  bytes: number,
): Promise<{ readonly sentHash: string; readonly answer: string }> {
  const socket = await open(to);
  const sent = randomBytes(bytes);
  socket.end(sent);
  const answer = await read(socket);
  return { sentHash: sha256(sent), answer: answer.toString() };
}

/** Milliseconds from dialling to the first byte of a server that speaks first. */
export async function firstByteMs({ address, port }: TcpAddress): Promise<number> {
  const start = performance.now();
  const socket = connect({ host: address, port });
  await once(socket, 'data');
  const elapsed = performance.now() - start;
  socket.destroy();
  return elapsed;
}

const lines = new Map<string, Socket>();

/** Opens a connection that stays, under a name of the test's, after the greeting of that many bytes. */
export async function openLine(name: string, to: TcpAddress, greetingBytes: number): Promise<void> {
  const socket = await open(to);
  await read(socket, greetingBytes);
  lines.set(name, socket);
}

/** What comes back for a text on an open connection: the text, or less when the connection has ended. */
export async function echoLine(name: string, text: string): Promise<string> {
  const socket = lines.get(name);
  if (!socket) throw new Error(`there is no connection ${name}`);
  socket.write(text);
  return (await read(socket, Buffer.byteLength(text))).toString();
}
