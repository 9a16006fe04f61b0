import type { Client } from '@grpc/grpc-js';
import { StreamBackOff } from '../controller/core/back-off.ts';

/**
 * Settings of the one gRPC channel to the controller: notice its death in seconds, find it again soon, and take a
 * routing table of any size (10,000 services are 6 MB, and gRPC's default ends the stream at 4 MB).
 */
export const CHANNEL_OPTIONS = {
  'grpc.max_receive_message_length': -1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 2_000,
} as const;

/** The channel has a back-off of its own; this is how often we look whether it is still wanted. */
const READY_DEADLINE_MS = 1_000;
const NEXT_LOOK_MS = 100;

/** One open stream. */
export interface OpenStream {
  /** Ends it; `ended` need not be called for it any more. */
  cancel(): void;
}

export interface ControllerStreamOptions {
  readonly client: Client;
  /** Opens the stream on a channel that is connected. `ended` is to be called when it ends, for whatever reason. */
  readonly open: (ended: (reason: string) => void) => OpenStream;
  /** Told when the stream opens and ends. */
  readonly onChange: (isOpen: boolean, reason: string) => void;
}

/** Keeps one stream to the controller open: back-off with jitter, for ever. */
export class ControllerStream {
  readonly #options: ControllerStreamOptions;
  readonly #backOff = new StreamBackOff(Math.random);
  #stream: OpenStream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: ControllerStreamOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  start(): void {
    this.#options.client.waitForReady(Date.now() + READY_DEADLINE_MS, (error) => {
      if (this.#isStopped) return;
      if (error) this.#timer = setTimeout(() => this.start(), NEXT_LOOK_MS);
      else this.#open();
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#stream?.cancel();
    this.#stream = undefined;
  }

  #open(): void {
    const openedAt = performance.now();
    let isEnded = false;
    const stream = this.#options.open((reason) => {
      if (isEnded || this.#isStopped) return;
      isEnded = true;
      this.#stream = undefined;
      this.#options.onChange(false, reason);
      this.#timer = setTimeout(() => this.start(), this.#backOff.after(performance.now() - openedAt));
    });
    this.#stream = isEnded ? undefined : stream;
    if (!isEnded) this.#options.onChange(true, '');
  }
}
