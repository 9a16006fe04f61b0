/** A server of TCP or TLS that speaks first, with the address that dialled it, and then echoes; and its client. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

/** Reaching it means failure: nobody greets. */
const PATIENCE_MS = 8_000;

export interface GreeterAddress {
  readonly address: string;
  readonly port: number;
  /** Then it is asked inside TLS. Its certificate is not checked. */
  readonly serverName?: string;
}

/** Files of key and certificate; without them it is plain TCP. */
export async function listenGreeter(port: number, keyFile?: string, certificateFile?: string): Promise<void> {
  const greet = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.write(`${socket.remoteAddress}\n`);
    socket.pipe(socket);
  };
  const server =
    keyFile && certificateFile
      ? createTlsServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, greet)
      : createServer(greet);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve));
}

/** One connection, with what has arrived and was not read yet. */
class Line {
  readonly #socket: Socket;
  #received = '';
  #waiting: (() => void) | undefined;
  /** Why there is no more. */
  #ended: string | undefined;

  constructor({ address, port, serverName }: GreeterAddress) {
    const plain = { host: address, port };
    this.#socket =
      serverName === undefined
        ? connect(plain)
        : connectTls({ ...plain, servername: serverName, rejectUnauthorized: false });
    this.#socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#waiting?.();
    });
    this.#socket.on('error', (error) => this.#end(error.message));
    this.#socket.on('close', () => this.#end('closed'));
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  /** Text up to the next line break. */
  async line(): Promise<string> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!this.#received.includes('\n')) {
      if (this.#ended !== undefined) throw new Error(`the connection ended: ${this.#ended}`);
      if (performance.now() > deadline) throw new Error(`nothing came within ${PATIENCE_MS} ms`);
      await this.#news();
    }
    const end = this.#received.indexOf('\n');
    const text = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 1);
    return text;
  }

  /** Sends a text without line breaks, which must come back. */
  async echo(text: string): Promise<void> {
    this.#socket.write(`${text}\n`);
    const answer = await this.line();
    if (answer !== text) throw new Error(`"${text}" came back as "${answer}"`);
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    this.#waiting?.();
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 1_000);
      this.#waiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Asks on a connection of its own; returns whom the server saw. */
export async function askGreeter(to: GreeterAddress): Promise<string> {
  const line = new Line(to);
  try {
    const peer = await line.line();
    await line.echo(randomBytes(2_000).toString('hex'));
    return peer;
  } finally {
    line.close();
  }
}

const held = new Map<string, Line>();

function lineOf(name: string): Line {
  const line = held.get(name);
  if (!line) throw new Error(`there is no connection ${name}`);
  return line;
}

/** Opens a connection that stays, under a name of the test's; returns whom the server saw. */
export async function holdGreeter(name: string, to: GreeterAddress): Promise<string> {
  const line = new Line(to);
  held.set(name, line);
  return line.line();
}

/** Uses a held connection. @throws Error when it has ended */
export async function useHeld(name: string): Promise<void> {
  await lineOf(name).echo('still here');
}

/** Why a held connection has ended; `undefined`: it has not. */
export function endOfHeld(name: string): string | undefined {
  return lineOf(name).ended;
}
