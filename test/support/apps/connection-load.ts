/** Many connections at a steady rate, each of which crosses an egress as a sidecar would make it, and ends in its own way. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { SocketAddress } from '../../../controller/core/model.ts';
import { proxyHeader } from '../proxy-header.ts';
import { sha256 } from './sha256.ts';

export interface ConnectionLoadOptions {
  readonly egress: SocketAddress;
  /** Own addresses, taken in turns. */
  readonly sources: readonly string[];
  /** HTTP/1 servers that answer `/peer`, with their Host. */
  readonly http: readonly (SocketAddress & { readonly host: string })[];
  /** Servers of `tcp-server.ts`. */
  readonly halfClosed: SocketAddress;
  readonly serverFirst: SocketAddress;
  readonly resetting: SocketAddress;
  /** Where nobody listens. */
  readonly dead: SocketAddress;
}

export interface ConnectionCount {
  readonly made: number;
  /** Most that were open at a time. */
  readonly most: number;
  /** What did not end as it should, as texts. */
  readonly failures: readonly string[];
}

const BODY = Buffer.alloc(2_000, 'b');
const TIMEOUT_MS = 20_000;

let options: ConnectionLoadOptions;
const idle: Socket[] = [];
let made = 0;

export function configure(given: ConnectionLoadOptions): void {
  options = given;
}

/** One connection, read as it comes. */
class Connection {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  /** How it ended: `end`, `reset`, or nothing yet. */
  outcome: string | undefined;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#wake();
    });
    socket.on('end', () => this.#ended('end'));
    socket.on('error', () => this.#ended('reset'));
    socket.on('close', () => this.#ended('close'));
  }

  /** @throws Error when it ends before, or takes too long */
  async until(text: string): Promise<void> {
    await this.#wait(() => this.received.includes(text), `"${text}"`);
    this.received = this.received.subarray(this.received.indexOf(text) + text.length);
  }

  async ends(expected: 'end' | 'reset'): Promise<void> {
    await this.#wait(() => this.outcome !== undefined, `its ${expected}`);
    if (this.outcome !== expected) throw new Error(`ended by ${this.outcome} instead of ${expected}`);
  }

  #ended(outcome: string): void {
    this.outcome ??= outcome;
    this.#wake();
  }

  async #wait(isThere: () => boolean, what: string): Promise<void> {
    const deadline = setTimeout(() => this.socket.destroy(), TIMEOUT_MS);
    while (!isThere()) {
      if (this.outcome !== undefined) throw new Error(`${this.outcome} while waiting for ${what}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    clearTimeout(deadline);
  }
}

async function open(to: SocketAddress, header?: Buffer): Promise<Connection> {
  const { egress, sources } = options;
  made += 1;
  const localAddress = sources[made % sources.length] ?? '';
  const socket = connect({ host: egress.address, port: egress.port, localAddress, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  const connection = new Connection(socket);
  socket.write(header ?? proxyHeader({ address: localAddress, port: socket.localPort ?? 0 }, to));
  return connection;
}

/** One request to one of the HTTP servers, on an open connection. */
async function ask(connection: Connection, server: number, close = false): Promise<void> {
  const host = options.http[server % options.http.length]?.host;
  const closing = close ? 'connection: close\r\n' : '';
  connection.socket.write(`GET /peer HTTP/1.1\r\nhost: ${host}\r\n${closing}\r\n`);
  await connection.until('HTTP/1.1 200 OK');
  await connection.until('\r\n\r\n');
}

const http = (): SocketAddress => options.http[0] as SocketAddress;

/** The ways of a connection. */
const WAYS: Readonly<Record<string, () => Promise<void>>> = {
  'HTTP/1, client closes': async () => {
    const connection = await open(http());
    for (let request = 0; request < 3; request += 1) await ask(connection, 0);
    connection.socket.end();
    await connection.ends('end');
  },
  'HTTP/1, server closes': async () => {
    const connection = await open(http());
    await ask(connection, 0, true);
    await connection.ends('end');
    connection.socket.end();
  },
  'HTTP/1, every request to another service': async () => {
    const connection = await open(http());
    for (let request = 0; request < options.http.length; request += 1) await ask(connection, request);
    connection.socket.end();
    await connection.ends('end');
  },
  'HTTP/1, client resets': async () => {
    const connection = await open(http());
    await ask(connection, 0);
    connection.socket.resetAndDestroy();
  },
  'TCP, half-closed by the client': async () => {
    const connection = await open(options.halfClosed);
    connection.socket.end(BODY);
    await connection.until(sha256(BODY));
    await connection.ends('end');
  },
  'TCP, echo': async () => {
    const connection = await open(options.serverFirst);
    await connection.until('220 ready\r\n');
    connection.socket.write(BODY);
    await connection.until(BODY.toString());
    connection.socket.end();
    await connection.ends('end');
  },
  'TCP, client resets': async () => {
    const connection = await open(options.serverFirst);
    await connection.until('220 ready\r\n');
    connection.socket.write(BODY);
    connection.socket.resetAndDestroy();
  },
  'TCP, server resets': async () => {
    const connection = await open(options.resetting);
    connection.socket.write(BODY);
    await connection.ends('reset');
  },
  'nobody listens': async () => {
    const connection = await open(options.dead);
    await connection.ends('reset');
  },
  'broken header': async () => {
    const connection = await open(http(), Buffer.from('GET / HTTP/1.1\r\n\r\n'));
    await connection.ends('end');
    connection.socket.destroy();
  },
};

/** Opens connections that have carried something and then only stay. */
export async function holdIdle(count: number): Promise<void> {
  const openOne = async (number: number): Promise<void> => {
    const isHttp = number % 2 === 0;
    const connection = await open(isHttp ? http() : options.serverFirst);
    if (isHttp) await ask(connection, 0);
    else await connection.until('220 ready\r\n');
    idle.push(connection.socket);
  };
  // In small groups: they are to be many, not at once.
  for (let number = 0; number < count; number += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - number) }, (_, at) => openOne(number + at)));
  }
}

/** Ends the idle ones: half of them with FIN, half with RST. @returns how many were open until now */
export function endIdle(): number {
  const open = idle.filter((socket) => !socket.destroyed && socket.readable).length;
  for (const [number, socket] of idle.splice(0).entries()) {
    if (number % 4 < 2) socket.end();
    else socket.resetAndDestroy();
    socket.on('end', () => socket.destroy());
  }
  return open;
}

/** Makes connections at a rate, in all ways in turns; resolves when the last has ended. */
export async function churn(seconds: number, perSecond: number): Promise<ConnectionCount> {
  const ways = Object.entries(WAYS);
  const failures: string[] = [];
  const underWay = new Set<Promise<void>>();
  const startedAt = performance.now();
  let started = 0;
  let most = 0;
  const start = (): void => {
    const [name = '', way = async () => undefined] = ways[started % ways.length] ?? [];
    started += 1;
    const running = way().catch((error: unknown) => void failures.push(`${name}: ${error}`));
    underWay.add(running);
    most = Math.max(most, underWay.size);
    void running.finally(() => underWay.delete(running));
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(seconds, (performance.now() - startedAt) / 1_000) * perSecond;
      while (started < due) start();
      if (started < seconds * perSecond) return;
      clearInterval(timer);
      resolve();
    }, 10);
  });
  await Promise.all(underWay);
  return { made: started, most, failures };
}
