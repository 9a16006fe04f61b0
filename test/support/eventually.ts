/** Waiting for something to become true, without fixed sleeps: a slow machine waits longer, a fast one does not wait. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Patience {
  /** Default 60 s: generous, as reaching it means failure. */
  readonly timeoutMs?: number;
  /** Pause between two looks; default 20 ms. */
  readonly intervalMs?: number;
}

/**
 * Looks until the probe gives something other than `undefined` or `false`, and returns that. An error of the probe
 * means "not yet".
 * @param what the awaited event, as the failure names it: `still not true after 60 s: <what>`
 * @throws Error with the probe's last error as cause, when time is up
 */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 60_000, intervalMs = 20 }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(intervalMs);
  } while (performance.now() < deadline);
  throw new Error(`still not true after ${timeoutMs / 1000} s: ${what}`, { cause });
}
