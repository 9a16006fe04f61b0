/** The probe's streams: one to each istiod that there is at the moment. */
import type { ChannelCredentials } from '@grpc/grpc-js';
import { LazyscopeError } from '../core/error.ts';
import type { SocketAddress } from '../core/model.ts';
import { socketAddressText } from '../core/socket-address.ts';
import { IstiodStream } from './istiod-stream.ts';

export interface IstiodWatchOptions {
  /** Every replica, not an address that stands for all: a ClusterIP leads to any one of them. */
  readonly istiods: () => Promise<readonly SocketAddress[]>;
  readonly credentials: ChannelCredentials;
  readonly serverName?: string;
  readonly node: object;
  readonly onMark: (istiod: string, mark: number) => void;
  readonly onDown: (istiod: string, reason: string) => void;
}

export class IstiodWatch {
  readonly #options: IstiodWatchOptions;
  readonly #streams = new Map<string, IstiodStream>();
  #isStopped = false;

  constructor(options: IstiodWatchOptions) {
    this.#options = options;
  }

  get streams(): readonly IstiodStream[] {
    return [...this.#streams.values()];
  }

  /**
   * Finds the istiods anew and waits until each new one has answered or failed.
   * @throws LazyscopeError `Unavailable` when they cannot be found; the known ones are watched on
   */
  async refresh(): Promise<void> {
    const istiods = await this.#find();
    if (this.#isStopped) return;
    const names = new Set(istiods.map(socketAddressText));
    for (const [name, stream] of this.#streams) if (!names.has(name)) this.#remove(name, stream);
    for (const istiod of istiods) this.#add(istiod);
    await Promise.all(this.streams.map(({ tried }) => tried));
  }

  stop(): void {
    this.#isStopped = true;
    for (const stream of this.streams) stream.stop();
    this.#streams.clear();
  }

  async #find(): Promise<readonly SocketAddress[]> {
    try {
      return await this.#options.istiods();
    } catch (error) {
      throw LazyscopeError.from('Unavailable', 'cannot find out where istiod is', error);
    }
  }

  #add(istiod: SocketAddress): void {
    const { credentials, serverName, node, onMark, onDown } = this.#options;
    const name = socketAddressText(istiod);
    if (this.#streams.has(name)) return;
    const stream = new IstiodStream({
      istiod,
      credentials,
      ...(serverName === undefined ? {} : { serverName }),
      node,
      onMark: (mark) => onMark(name, mark),
      onDown: (reason) => onDown(name, reason),
    });
    this.#streams.set(name, stream);
  }

  #remove(name: string, stream: IstiodStream): void {
    this.#streams.delete(name);
    stream.stop();
    this.#options.onDown(name, 'it is gone');
  }
}
