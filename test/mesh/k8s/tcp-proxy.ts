/** A TCP proxy that fails on demand, between a client and an API server. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ApiBed } from './api-bed.ts';
import { listenUntilEnd } from './listen-until-end.ts';

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #refusing = false;
  #port = 0;

  private constructor(host: string, port: number) {
    this.#server = createServer((client) => {
      if (this.#refusing) client.destroy();
      else this.#join({ client, server: connect(port, host) });
    });
  }

  /** In front of the bed's API server, until the test ends. */
  static async start(api: ApiBed, t: TestContext): Promise<TcpProxy> {
    const { hostname, port } = new URL(api.client.access.server);
    const proxy = new TcpProxy(hostname, Number(port));
    proxy.#port = await listenUntilEnd(proxy.#server, t);
    t.after(() => proxy.cut());
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** How many connections are open. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Closes every connection; new ones are served. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Forwards nothing more on the connections that are open, and does not close them; new ones are served. */
  freeze(): void {
    for (const { client, server } of this.#pairs) {
      client.unpipe(server);
      server.unpipe(client);
      client.resume();
      server.resume();
    }
  }

  /** Closes every connection, and each new one as it comes. */
  refuse(): void {
    this.#refusing = true;
    this.cut();
  }

  /** Serves again. */
  accept(): void {
    this.#refusing = false;
  }

  #join(pair: Pair): void {
    const { client, server } = pair;
    this.#pairs.add(pair);
    for (const socket of [client, server]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#pairs.delete(pair);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
