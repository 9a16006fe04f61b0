import { connect, type Socket } from 'node:net';
import type { SocketAddress } from '../controller/core/model.ts';
import { MAX_READ_BYTES, upstreamSocketOptions } from './socket-options.ts';

/** One page: most connections carry small messages, and many idle. */
const FIRST_BUFFER_BYTES = 4 * 1024;

/**
 * Takes bytes of an upstream. They are overwritten by the next ones: what is kept of them must be copied.
 * @returns whether a write still needs them; then the next ones go elsewhere
 */
export type TakeBytes = (bytes: Buffer) => boolean;

/**
 * A connection to an upstream. It reads into the same memory again and again: new memory for each read, which is what
 * a stream gives, occupies the garbage collector for a third of all CPU time when much passes.
 */
export class Upstream {
  readonly socket: Socket;
  #take: TakeBytes = () => false;
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);

  /** Begins to connect. */
  constructor({ address, port }: SocketAddress) {
    const callback = (length: number): true => {
      this.#received(length);
      return true;
    };
    const onread = { buffer: () => this.#buffer, callback };
    this.socket = connect({ host: address, port, ...upstreamSocketOptions, onread }).pause();
  }

  /** Reads from now on. */
  read(take: TakeBytes): void {
    this.#take = take;
    this.socket.resume();
  }

  #received(length: number): void {
    const isNeeded = this.#take(this.#buffer.subarray(0, length));
    const isFull = length === this.#buffer.length;
    if (isNeeded || (isFull && length < MAX_READ_BYTES)) {
      this.#buffer = Buffer.allocUnsafeSlow(isFull ? MAX_READ_BYTES : this.#buffer.length);
    }
  }
}
