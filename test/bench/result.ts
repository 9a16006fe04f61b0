import type { Interval } from './statistics.ts';

/** One goal's outcome: a ratio of us to a peer in one run. */
export interface BenchResult {
  /** `G1`, with a letter where a goal has parts. */
  readonly goal: string;
  readonly contender: string;
  readonly peer: string;
  /** What the ratio is of. */
  readonly unit: string;
  readonly ratio: number;
  readonly ci95: Interval;
  /** The ratio must be at most this. */
  readonly target: number;
  /** Whether the whole interval is within the target. */
  readonly met: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** The measurements behind the ratio, in words and numbers. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** A result whose goal is a ratio of at most `target`; met when the upper bound of the interval is. */
export function atMost(result: Omit<BenchResult, 'met'>): BenchResult {
  return { ...result, met: result.ci95[1] <= result.target };
}

/** A benchmark: measures one goal and says what it does on the way. */
export type Bench = (say: (line: string) => void) => Promise<readonly BenchResult[]>;
