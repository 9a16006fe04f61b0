/** Looking may take this part of the time, so that a folder of very many files does not keep us busy. */
const LOOKING_SHARE = 0.1;
/** A look that took long because all else was busy must not hold the next change up for longer than this. */
const LONGEST_REST_MS = 5_000;

/** Milliseconds until the next look, after one that took so many. */
export function restAfter(lookingMs: number): number {
  return Math.min(lookingMs / LOOKING_SHARE - lookingMs, LONGEST_REST_MS);
}
