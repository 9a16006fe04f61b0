import fc, { type Parameters } from 'fast-check';

/** Of each law; some hundred thousand take minutes. `FUZZ_RUNS` says another number. */
const DEFAULT_RUNS = 1_000;
/** Inputs of an ordinary run are always the same, so that a run fails for what was changed. */
const DEFAULT_SEED = 20_260_101;

/**
 * How often a law is tried, and with which inputs. With `FUZZ_RUNS` these are new ones each time, and `FUZZ_SEED`
 * repeats those of a run that failed.
 */
export function fuzzParameters<Ts>(): Parameters<Ts> {
  const { FUZZ_RUNS, FUZZ_SEED } = process.env;
  const numRuns = Number(FUZZ_RUNS ?? DEFAULT_RUNS);
  if (FUZZ_SEED !== undefined) return { numRuns, seed: Number(FUZZ_SEED) };
  return FUZZ_RUNS === undefined ? { numRuns, seed: DEFAULT_SEED } : { numRuns };
}

/** Bytes as they would stand in a corpus, and the places at which they are cut. */
export interface FuzzInput {
  readonly bytes: Buffer;
  readonly cuts: readonly number[];
}

export function piecesOf({ bytes, cuts }: FuzzInput): readonly Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, at) => bytes.subarray(places[at], end));
}

/** All bytes one by one. */
export function singleBytes(bytes: Buffer): readonly Buffer[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

/** Tries a law with inputs that are derived from these, after these themselves. */
export function forEachInput(inputs: fc.Arbitrary<FuzzInput>, law: (input: FuzzInput) => void): void {
  fc.assert(fc.property(inputs, law), fuzzParameters<[FuzzInput]>());
}
