import { createServer, type Server, type Socket } from 'node:net';
import { LazyscopeError } from '../controller/core/error.ts';
import type { SocketAddress } from '../controller/core/model.ts';
import { socketAddressText } from '../controller/core/socket-address.ts';
import { type Admitted, atTheDoor, type DoorOptions } from './door.ts';
import { Session } from './session.ts';
import type { SessionContext } from './session-context.ts';
import { serverSocketOptions } from './socket-options.ts';

/** Connections that the kernel keeps for us; a sidecar that is promoted or restarted comes with many at once. */
const BACKLOG = 4096;

export interface RelayOptions {
  readonly door: DoorOptions;
  readonly session: SessionContext;
}

/** The TCP server that sidecars connect to. */
export class Relay {
  readonly #options: RelayOptions;
  readonly #server: Server;
  /** Connections that have not shown their PROXY header yet. */
  readonly #atTheDoor = new Set<Socket>();
  readonly #sessions = new Set<Session>();
  #onEmpty: (() => void) | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#server = createServer(serverSocketOptions, (client) => this.#accept(client));
  }

  /** Connections that are relayed now. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Connections whose PROXY header has not come yet. */
  get atTheDoor(): number {
    return this.#atTheDoor.size;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  /**
   * @returns where it listens; port 0 becomes a free one
   * @throws LazyscopeError `InvalidConfiguration` if it cannot
   */
  async listen({ address, port }: SocketAddress): Promise<SocketAddress> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen({ host: address, port, backlog: BACKLOG }, resolve);
    await promise.catch((error: unknown) => {
      throw LazyscopeError.from('InvalidConfiguration', `--listen ${socketAddressText({ address, port })}`, error);
    });
    const bound = this.#server.address();
    return typeof bound === 'object' && bound ? { address: bound.address, port: bound.port } : { address, port };
  }

  /**
   * Stops accepting and waits until all connections have ended; those that have not after the given time are reset.
   * @returns how many were
   */
  async drain(drainMs: number): Promise<number> {
    this.#server.close();
    for (const client of this.#atTheDoor) client.destroy();
    if (this.#sessions.size === 0) return 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEmpty = resolve;
    let cut = 0;
    const timer = setTimeout(() => {
      cut = this.#sessions.size;
      for (const session of this.#sessions) session.reset();
    }, drainMs);
    await promise;
    clearTimeout(timer);
    return cut;
  }

  #accept(client: Socket): void {
    this.#atTheDoor.add(client);
    const leave = (): void => {
      this.#atTheDoor.delete(client);
    };
    client.once('close', leave);
    atTheDoor(client, this.#options.door, (admitted) => {
      client.off('close', leave);
      leave();
      this.#relay(admitted);
    });
  }

  #relay(admitted: Admitted): void {
    const session = new Session(this.#options.session, {
      ...admitted,
      onClosed: () => {
        this.#sessions.delete(session);
        if (this.#sessions.size === 0) this.#onEmpty?.();
      },
    });
    this.#sessions.add(session);
    session.begin();
  }
}
