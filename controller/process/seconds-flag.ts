import { InvalidArgumentError } from 'commander';

/**
 * Reads a duration of either program's flags: seconds, with or without the unit, such as `60` or `0.5s`.
 * @throws InvalidArgumentError, which commander shows with the flag's name
 */
export function parseSeconds(text: string): number {
  const digits = text.trim().replace(/s$/, '');
  const seconds = digits === '' ? Number.NaN : Number(digits);
  if (!Number.isFinite(seconds) || seconds < 0) {
    throw new InvalidArgumentError('It must be a number of seconds, 0 or more, such as 60 or 0.5s.');
  }
  return seconds;
}
