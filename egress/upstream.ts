import { connect, type Socket } from 'node:net';
import type { SocketAddress } from '../controller/core/model.ts';
import { MAX_READ_BYTES, upstreamSocketOptions } from './socket-options.ts';

/** One page: most connections carry small messages, and many idle. */
const FIRST_BUFFER_BYTES = 4 * 1024;
const GROWTH = 4;
/** So many reads in a row that would have fitted into a smaller buffer, and it is one. */
const SHORT_READS = 16;

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
  #shortReads = 0;

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
    const size = this.#nextSize(length);
    if (isNeeded || size !== this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(size);
  }

  /** As large as the messages are: connections idle with what they have. */
  #nextSize(length: number): number {
    const size = this.#buffer.length;
    this.#shortReads = length < size / GROWTH ? this.#shortReads + 1 : 0;
    if (length === size) return Math.min(size * GROWTH, MAX_READ_BYTES);
    if (this.#shortReads < SHORT_READS) return size;
    this.#shortReads = 0;
    return Math.max(size / GROWTH, FIRST_BUFFER_BYTES);
  }
}
