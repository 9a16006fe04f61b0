/** Each problem is told once, as long as it lasts. */
import type { Problem } from '../core/ports.ts';

/** Remembers the problems of every place, and tells which are new there. */
export class ProblemNews {
  readonly #told = new Map<string, ReadonlySet<string>>();

  /**
   * The problems that this place did not have the last time. One that was gone in between is new again.
   * @param problems all that the place has now
   */
  of(place: string, problems: readonly Problem[]): Problem[] {
    const before = this.#told.get(place);
    if (problems.length === 0) this.#told.delete(place);
    else this.#told.set(place, new Set(problems.map(keyOf)));
    return problems.filter((problem) => !before?.has(keyOf(problem)));
  }
}

function keyOf({ subject, reason }: Problem): string {
  return `${subject}\n${reason}`;
}
