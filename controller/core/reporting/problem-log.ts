import type { Timestamp } from '../model.ts';
import type { Problem } from '../ports.ts';
import type { MeshReport } from '../report.ts';

const KEPT = 100;

/** What was skipped since start: the newest are kept, all are counted, a repetition is not told again. */
export class ProblemLog {
  readonly #tell: (problem: Problem) => void;
  readonly #newest = new Map<string, { readonly problem: Problem; readonly at: Timestamp }>();
  #total = 0;

  /** @param tell called for each problem that is not among the newest already */
  constructor(tell: (problem: Problem) => void) {
    this.#tell = tell;
  }

  get total(): number {
    return this.#total;
  }

  add(problem: Problem, at: Timestamp): void {
    this.#total += 1;
    const key = `${problem.subject} ${problem.reason}`;
    if (!this.#newest.delete(key)) this.#tell(problem);
    this.#newest.set(key, { problem, at });
    const oldest = this.#newest.size > KEPT ? this.#newest.keys().next() : undefined;
    if (oldest?.value !== undefined) this.#newest.delete(oldest.value);
  }

  /** Newest last. */
  newest(): MeshReport['problems'] {
    return [...this.#newest.values()].map(({ problem, at }) => ({ ...problem, at: new Date(at).toISOString() }));
  }
}
