/** When a workload's Sidecar may be written again. */
import type { Timestamp } from '../model.ts';

/**
 * Before the first, second, ... write of a burst, in ms. istiod waits for 100 ms of quiet before it pushes, so a steady
 * trickle of writes would hold up everyone's; and a workload that starts learns much within its first seconds.
 */
const GAPS_MS = [50, 1_200, 3_000, 6_000, 12_000] as const;
const LONGEST_GAP_MS = 12_000;
/** After this long without a write a burst is over. */
const BURST_OVER_MS = 60_000;

/** Writes so far, as far as the next one depends on them. */
export interface Pace {
  readonly writes: number;
  readonly lastAt: Timestamp;
}

/** The earliest time of the next write for news that came at `newsAt`. */
export function nextWriteAt(pace: Pace | undefined, newsAt: Timestamp): Timestamp {
  const isOver = !pace || newsAt - pace.lastAt >= BURST_OVER_MS;
  if (isOver) return newsAt + GAPS_MS[0];
  return Math.max(newsAt + GAPS_MS[0], pace.lastAt + (GAPS_MS[pace.writes] ?? LONGEST_GAP_MS));
}

export function afterWrite(pace: Pace | undefined, at: Timestamp): Pace {
  const isOver = !pace || at - pace.lastAt >= BURST_OVER_MS;
  return { writes: isOver ? 1 : pace.writes + 1, lastAt: at };
}
