/** Ratios with honest intervals: medians and a percentile bootstrap, deterministic for equal samples. */

export type Interval = readonly [low: number, high: number];

const RESAMPLES = 2_000;

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  const value = sorted[index];
  if (value === undefined) throw new RangeError('A percentile needs at least one value');
  return value;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low, high] = [sorted[middle - 1], sorted[middle]];
  if (high === undefined) throw new RangeError('A median needs at least one value');
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

/** Least-squares slope of `y` over `x`. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const covariance = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
}

/**
 * 95 % interval of a statistic by resampling. The generator is seeded, so that a run can be computed again from its
 * samples.
 */
export function bootstrap95<T>(samples: readonly T[], statistic: (resample: readonly T[]) => number): Interval {
  const random = seededRandom(42);
  const statistics = Array.from({ length: RESAMPLES }, () => statistic(resampled(samples, random)));
  const finite = statistics.filter(Number.isFinite);
  return [percentile(finite, 0.025), percentile(finite, 0.975)];
}

function resampled<T>(samples: readonly T[], random: () => number): readonly T[] {
  return samples.map(() => samples[Math.floor(random() * samples.length)] as T);
}

/** Mulberry32: small, and good enough to draw indices. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
