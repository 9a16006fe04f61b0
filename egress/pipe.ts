import type { Socket } from 'node:net';
import { MAX_READ_BYTES } from './socket-options.ts';
import type { Upstream } from './upstream.ts';

/** Bytes that have passed. */
export interface ByteCounters {
  bytesSent: number;
  bytesReceived: number;
}

/** Decides what happens to what a {@link Pipe} moves. */
export interface PipeHandler {
  /** The client has sent this; it goes nowhere by itself. */
  fromClient(chunk: Buffer): void;
  /** This is on its way to the client. The next bytes overwrite it: what is kept of it must be copied. */
  fromUpstream(chunk: Buffer): void;
  /** The client has sent FIN. */
  clientEnded(): void;
  /** The attached upstream has sent FIN (no error) or failed. @returns true if that is dealt with, not to be passed on */
  upstreamGone(error: Error | undefined): boolean;
  /** The client's connection is closed; called once. */
  closed(): void;
}

/** What pipes count together. */
export interface PipeTotals extends ByteCounters {
  /** How often one side was read no further, as much as may wait did wait for the other. */
  pauses: number;
}

export interface PipeOptions {
  readonly client: Socket;
  /** The TCP connection below the client's TLS, or the client itself. */
  readonly transport: Socket;
  readonly handler: PipeHandler;
  /** Bytes that may wait in one direction before reading stops. */
  readonly bufferBytes: number;
  /** Counted besides {@link Pipe.counters}. */
  readonly totals: PipeTotals;
}

/**
 * Moves bytes between a client and the upstream that is attached at the time: backpressure, half-close and resets pass
 * through in both directions. The client starts paused.
 */
export class Pipe {
  /** What passes is counted here too; may be exchanged at any time. */
  counters: ByteCounters = { bytesSent: 0, bytesReceived: 0 };
  readonly #client: Socket;
  readonly #transport: Socket;
  readonly #handler: PipeHandler;
  readonly #totals: PipeTotals;
  /** A read may bring this much more than is allowed to wait already. */
  readonly #allowance: number;
  /** These two are asked for at each write: a TLS socket has its own idea of when to tell `drain`. */
  readonly #onClientWritten = (): void => this.#clientWritten();
  readonly #onUpstreamWritten = (): void => this.#regulate();
  #upstream: Upstream | undefined;
  #isHeld = true;
  #isClientPaused = true;
  #isUpstreamPaused = false;
  #hasReceived = false;

  constructor({ client, transport, handler, bufferBytes, totals }: PipeOptions) {
    this.#client = client;
    this.#transport = transport;
    this.#handler = handler;
    this.#totals = totals;
    this.#allowance = Math.max(0, bufferBytes - MAX_READ_BYTES);
    client.pause();
    client.on('data', (chunk) => handler.fromClient(chunk));
    client.on('end', () => handler.clientEnded());
    let isReset = false;
    client.on('error', () => {
      isReset = true;
    });
    client.on('close', () => this.#clientClosed(isReset));
  }

  get isAttached(): boolean {
    return this.#upstream !== undefined;
  }

  /** Whether any upstream has sent a byte yet. */
  get hasReceived(): boolean {
    return this.#hasReceived;
  }

  /** Stops reading from the client, or goes on. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.#regulate();
  }

  /** Bytes come from and go to this upstream from now on. */
  attach(upstream: Upstream): void {
    this.#upstream = upstream;
    this.#isUpstreamPaused = false;
    const { socket } = upstream;
    socket.on('end', () => this.#upstreamGone(upstream, undefined));
    socket.on('error', (error) => this.#upstreamGone(upstream, error));
    upstream.read((bytes) => this.#fromUpstream(socket, bytes));
  }

  /** Closes the upstream; the client stays. */
  detach(): void {
    const upstream = this.#upstream;
    this.#upstream = undefined;
    if (!upstream) return;
    upstream.socket.removeAllListeners('end');
    upstream.socket.destroy();
    this.#regulate();
  }

  /** Writes to the upstream. */
  forward(bytes: Buffer): void {
    const upstream = this.#upstream?.socket;
    if (!upstream) {
      // What the server itself would answer to bytes on a connection that it has closed.
      this.reset();
      return;
    }
    this.counters.bytesSent += bytes.length;
    this.#totals.bytesSent += bytes.length;
    upstream.write(bytes, this.#onUpstreamWritten);
    if (upstream.writableLength > this.#allowance) this.#regulate();
  }

  /** Passes the client's FIN on. Without an upstream the connection is over. */
  endUpstream(): void {
    if (this.#upstream) this.#upstream.socket.end();
    else this.#client.end();
  }

  /** Lets the client have what is on its way to it, then closes. */
  close(): void {
    this.#client.destroySoon();
  }

  /** Ends both sides with RST. */
  reset(): void {
    this.#resetClient();
  }

  /** @returns whether the bytes are still to be written: as long as they are, their memory is not ours */
  #fromUpstream(upstream: Socket, chunk: Buffer): boolean {
    const client = this.#client;
    this.#hasReceived = true;
    this.counters.bytesReceived += chunk.length;
    this.#totals.bytesReceived += chunk.length;
    client.write(chunk, this.#onClientWritten);
    if (client.writableLength > this.#allowance && !this.#isUpstreamPaused) {
      this.#totals.pauses += 1;
      upstream.pause();
      this.#isUpstreamPaused = true;
    }
    const isWaiting = client.writableLength > 0;
    this.#handler.fromUpstream(chunk);
    return isWaiting;
  }

  #clientWritten(): void {
    if (!this.#isUpstreamPaused || this.#client.writableLength > this.#allowance) return;
    this.#isUpstreamPaused = false;
    this.#upstream?.socket.resume();
  }

  #regulate(): void {
    const isBacklogged = this.#upstream !== undefined && this.#upstream.socket.writableLength > this.#allowance;
    const shouldPause = this.#isHeld || isBacklogged;
    if (shouldPause === this.#isClientPaused) return;
    this.#isClientPaused = shouldPause;
    if (isBacklogged) this.#totals.pauses += 1;
    if (shouldPause) this.#client.pause();
    else this.#client.resume();
  }

  #upstreamGone(upstream: Upstream, error: Error | undefined): void {
    if (upstream !== this.#upstream || this.#handler.upstreamGone(error)) return;
    if (error) this.#resetClient();
    else this.#client.end();
  }

  /** TLS has no resets of its own. */
  #resetClient(): void {
    this.#transport.resetAndDestroy();
  }

  #clientClosed(isReset: boolean): void {
    const upstream = this.#upstream?.socket;
    this.#upstream = undefined;
    if (upstream && isReset) upstream.resetAndDestroy();
    // An upstream that has been sent FIN still writes what waits before it.
    else if (upstream && !upstream.writableEnded) upstream.destroy();
    this.#handler.closed();
  }
}
