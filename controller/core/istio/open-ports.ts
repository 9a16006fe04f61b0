/** Which HTTP ports placeholder and decoy may carry by now. */
import type { ScopedPort, ServiceKey, Timestamp } from '../model.ts';

/**
 * A new HTTP port opens once every lazy workload routes to the TCP services on it: with the port, their sidecars begin
 * to wait for the client's first bytes there. A workload that cannot be written holds it up no longer than this.
 */
const LONGEST_WAIT_MS = 60_000;

export class OpenPorts {
  readonly #firstWanted = new Map<number, Timestamp>();

  /**
   * @param httpPorts every port number that is HTTP anywhere
   * @param mixedPorts TCP ports whose number is among them
   * @param routed what each lazy workload routes to
   * @returns those that may be opened; `nextAt` is when others will be, whatever happens
   */
  ready(
    httpPorts: Iterable<number>,
    mixedPorts: readonly ScopedPort[],
    routed: readonly ReadonlySet<ServiceKey>[],
    now: Timestamp,
  ): { readonly ports: ReadonlySet<number>; readonly nextAt: Timestamp } {
    const ports = new Set<number>();
    let nextAt = Number.POSITIVE_INFINITY;
    const pinned = Map.groupBy(mixedPorts, ({ port }) => port);
    for (const port of httpPorts) {
      const since = this.#firstWanted.get(port) ?? now;
      this.#firstWanted.set(port, since);
      const pins = pinned.get(port) ?? [];
      const isPinned = pins.every(({ service }) => routed.every((keys) => keys.has(service)));
      if (isPinned || now - since >= LONGEST_WAIT_MS) ports.add(port);
      else nextAt = Math.min(nextAt, since + LONGEST_WAIT_MS);
    }
    return { ports, nextAt };
  }
}
