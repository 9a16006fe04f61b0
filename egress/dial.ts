import type { SocketAddress } from '../controller/core/model.ts';
import type { Balancer } from './balancer.ts';
import { Upstream } from './upstream.ts';

/** Endpoints that are tried for one connection. */
const MAX_TRIES = 3;

type DialResult = 'Connected' | 'Failed' | 'TimedOut';

export interface DiallerOptions {
  readonly balancer: Balancer;
  /** For each attempt. */
  readonly timeoutMs: number;
  /** Told the result of each attempt. */
  readonly onAttempt: (result: DialResult) => void;
}

/** Connects to upstreams. Nothing has been sent while it does, so another endpoint can be tried. */
export class Dialler {
  readonly #options: DiallerOptions;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /**
   * Connects to one of the candidates.
   * @param done called once with a connected upstream that does not read yet, or `undefined` when every attempt failed
   */
  dial(candidates: readonly SocketAddress[], done: (upstream: Upstream | undefined) => void): Dial {
    const dial = new Dial(this.#options, candidates, done);
    dial.tryNext();
    return dial;
  }
}

/** One dial: attempts one after the other. */
export class Dial {
  readonly #options: DiallerOptions;
  readonly #candidates: readonly SocketAddress[];
  readonly #done: (upstream: Upstream | undefined) => void;
  readonly #tried: SocketAddress[] = [];
  #upstream: Upstream | undefined;

  constructor(
    options: DiallerOptions,
    candidates: readonly SocketAddress[],
    done: (upstream: Upstream | undefined) => void,
  ) {
    this.#options = options;
    this.#candidates = candidates;
    this.#done = done;
  }

  /** Gives up; `done` is not called any more. */
  cancel(): void {
    this.#upstream?.socket.destroy();
    this.#upstream = undefined;
  }

  tryNext(): void {
    const { balancer, timeoutMs, onAttempt } = this.#options;
    const endpoint = this.#tried.length < MAX_TRIES ? balancer.pick(this.#candidates, this.#tried) : undefined;
    if (!endpoint) {
      this.#done(undefined);
      return;
    }
    this.#tried.push(endpoint);
    balancer.opened(endpoint);
    const upstream = new Upstream(endpoint);
    const { socket } = upstream;
    this.#upstream = upstream;
    const timer = setTimeout(() => {
      onAttempt('TimedOut');
      this.#failed(upstream);
    }, timeoutMs);
    socket.once('close', () => {
      clearTimeout(timer);
      balancer.closed(endpoint);
    });
    const onError = (): void => {
      onAttempt('Failed');
      this.#failed(upstream);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      onAttempt('Connected');
      if (this.#upstream !== upstream) return;
      this.#upstream = undefined;
      this.#done(upstream);
    });
  }

  #failed(upstream: Upstream): void {
    const isCancelled = this.#upstream !== upstream;
    const { socket } = upstream;
    socket.on('error', () => {});
    socket.destroy();
    if (!isCancelled) this.tryNext();
  }
}
