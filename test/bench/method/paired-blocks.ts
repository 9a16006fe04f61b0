/**
 * Two contenders on one noisy machine: blocks in the order A B B A, so that what drifts hits both alike, and the ratio
 * of each pair of neighbours instead of that of two averages.
 */

/** What one block of load has shown. */
export interface Block {
  /** Work done: requests, entries, bytes. */
  readonly units: number;
  /** CPU seconds that the contender (not the load) has used for it. */
  readonly cpuSeconds: number;
}

/** Runs one block. It throws where an answer was wrong: a fast wrong answer is none. */
export type RunBlock = () => Promise<Block>;

export interface Pair {
  readonly ours: Block;
  readonly theirs: Block;
}

/** An even number of pairs; each side goes first in half of them. */
export async function pairedBlocks(ours: RunBlock, theirs: RunBlock, pairs: number): Promise<readonly Pair[]> {
  const measured: Pair[] = [];
  while (measured.length < pairs) {
    const [first, second] = [await ours(), await theirs()];
    measured.push({ ours: first, theirs: second });
    const [third, fourth] = [await theirs(), await ours()];
    measured.push({ ours: fourth, theirs: third });
  }
  return measured;
}

/** Work for a CPU second. */
export function rate({ units, cpuSeconds }: Block): number {
  return units / cpuSeconds;
}

/** How many times as much work as the peer we do for a CPU second. */
export function rateRatio({ ours, theirs }: Pair): number {
  return rate(ours) / rate(theirs);
}
