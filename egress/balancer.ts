import type { SocketAddress } from '../controller/core/model.ts';
import { socketAddressText } from '../controller/core/socket-address.ts';

/** Least connections of two random choices, over what this egress itself has open. */
export class Balancer {
  readonly #open = new Map<string, number>();
  readonly #random: () => number;

  /** @param random uniform in [0, 1) */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** One of the candidates that were not tried yet; `undefined` when there is none. */
  pick(candidates: readonly SocketAddress[], tried: readonly SocketAddress[]): SocketAddress | undefined {
    const left = tried.length === 0 ? candidates : candidates.filter((candidate) => !tried.includes(candidate));
    if (left.length <= 1) return left[0];
    const first = Math.floor(this.#random() * left.length);
    // From the others, so that two of two are always compared.
    const second = (first + 1 + Math.floor(this.#random() * (left.length - 1))) % left.length;
    const [a, b] = [left[first], left[second]];
    return a && b && this.openTo(b) < this.openTo(a) ? b : a;
  }

  /** A connection to the endpoint is being opened. */
  opened(endpoint: SocketAddress): void {
    this.#open.set(socketAddressText(endpoint), this.openTo(endpoint) + 1);
  }

  /** Such a connection, or the attempt, has ended. */
  closed(endpoint: SocketAddress): void {
    const left = this.openTo(endpoint) - 1;
    if (left > 0) this.#open.set(socketAddressText(endpoint), left);
    else this.#open.delete(socketAddressText(endpoint));
  }

  openTo(endpoint: SocketAddress): number {
    return this.#open.get(socketAddressText(endpoint)) ?? 0;
  }
}
