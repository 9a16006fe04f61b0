/**
 * Preloaded into one of our programs (`--expose-gc --import`), whose parent asks it over their channel what the process
 * holds. Nothing of the program knows of it.
 */
import { readdirSync } from 'node:fs';

/** What a process holds once its garbage is gone. */
export interface Gauges {
  /** Bytes of live JavaScript objects. */
  readonly heap: number;
  /** Bytes outside that heap which such objects hold: buffers. */
  readonly external: number;
  readonly descriptors: number;
  /** What keeps the event loop busy, by kind: sockets, timers. */
  readonly handles: Readonly<Record<string, number>>;
}

const collect: unknown = Reflect.get(globalThis, 'gc');
if (typeof collect !== 'function') throw new Error('start with --expose-gc');

/** Twice, with a turn between: what a finalizer lets go is garbage only afterwards. */
async function gauges(): Promise<Gauges> {
  for (let round = 0; round < 2; round += 1) {
    Reflect.apply(collect as () => void, undefined, []);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  const handles: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) handles[kind] = (handles[kind] ?? 0) + 1;
  // Reading the folder takes a descriptor itself.
  return { heap: heapUsed, external, descriptors: readdirSync('/proc/self/fd').length - 1, handles };
}

process.on('message', () => void gauges().then((answer) => process.send?.(answer)));
// The program ends as it would without.
process.channel?.unref();
