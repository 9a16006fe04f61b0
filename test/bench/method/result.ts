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
  readonly target: number;
  /** Which side of the target is good. */
  readonly bound: 'at most' | 'at least';
  /** Whether the whole interval is within the target. */
  readonly met: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** The measurements behind the ratio, in words and numbers. */
  readonly details: Readonly<Record<string, unknown>>;
}

type Measured = Omit<BenchResult, 'met' | 'bound'>;

/** A result whose goal is a ratio of at most `target`; met when the upper bound of the interval is. */
export function atMost(result: Measured): BenchResult {
  return { ...result, bound: 'at most', met: result.ci95[1] <= result.target };
}

/** A result whose goal is a ratio of at least `target`; met when the lower bound of the interval is. */
export function atLeast(result: Measured): BenchResult {
  return { ...result, bound: 'at least', met: result.ci95[0] >= result.target };
}

/** A benchmark: measures one goal and says what it does on the way. */
export type Bench = (say: (line: string) => void) => Promise<readonly BenchResult[]>;
