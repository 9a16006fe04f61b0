import type { Timestamp } from '../model.ts';
import type { Problem } from '../ports.ts';
import type { MeshReport } from '../report.ts';

/** Problems that the API names. */
const KEPT = 100;
/** Problems whose repetition is recognised. */
const RECOGNISED = 1_000;
/** Problems that are told in one {@link WINDOW_MS}: nobody reads more, and whoever sends rubbish must not fill a disk. */
const TOLD = 100;
const WINDOW_MS = 60_000;
/** Characters of a subject and of a reason: senders choose names, and what is kept must not be as large as they like. */
const LONGEST = { subject: 300, reason: 1_000 };

/** What was skipped since start: the newest are kept, all are counted, a repetition is not told again. */
export class ProblemLog {
  readonly #tell: (problem: Problem) => void;
  readonly #newest = new Map<string, { readonly problem: Problem; readonly at: Timestamp }>();
  /** Keys of what was told; the one seen longest ago comes first. */
  readonly #told = new Set<string>();
  #total = 0;
  #untold = 0;
  #window = { since: Number.NEGATIVE_INFINITY, told: 0, untold: 0 };

  /** @param tell called for each problem that was not told lately, up to 100 times a minute */
  constructor(tell: (problem: Problem) => void) {
    this.#tell = tell;
  }

  get total(): number {
    return this.#total;
  }

  /** Problems that were new and not told, as there were too many. */
  get untold(): number {
    return this.#untold;
  }

  add(problem: Problem, at: Timestamp): void {
    this.#total += 1;
    this.#roll(at);
    const key = keyOf(problem);
    const kept = fromKey(key, problem);
    if (this.#isNews(key)) this.#tellOrCount(key, kept);
    this.#newest.delete(key);
    this.#newest.set(key, { problem: kept, at });
    dropOldest(this.#newest, KEPT);
  }

  /** Newest last. */
  newest(): MeshReport['problems'] {
    return [...this.#newest.values()].map(({ problem, at }) => ({ ...problem, at: new Date(at).toISOString() }));
  }

  /** What comes again becomes the newest that is recognised. */
  #isNews(key: string): boolean {
    if (!this.#told.delete(key)) return true;
    this.#told.add(key);
    return false;
  }

  #tellOrCount(key: string, problem: Problem): void {
    if (this.#window.told >= TOLD) {
      this.#untold += 1;
      this.#window.untold += 1;
      return;
    }
    this.#window.told += 1;
    this.#told.add(key);
    dropOldest(this.#told, RECOGNISED);
    this.#tell(problem);
  }

  #roll(at: Timestamp): void {
    const { since, untold } = this.#window;
    if (at - since < WINDOW_MS && at >= since) return;
    this.#window = { since: at, told: 0, untold: 0 };
    if (untold === 0) return;
    const reason = `${untold} more were not logged, as ${TOLD} in a minute were; the API names the newest of all`;
    this.#tell({ subject: 'problems', reason });
  }
}

function keyOf({ subject, reason }: Problem): string {
  return `${cut(subject, LONGEST.subject)} ${cut(reason, LONGEST.reason)}`;
}

/** Parts of the key, not of what came: a part of a text keeps the whole of it in memory. */
function fromKey(key: string, { subject }: Problem): Problem {
  const end = Math.min(subject.length, LONGEST.subject);
  return { subject: key.slice(0, end), reason: key.slice(end + 1) };
}

function cut(text: string, longest: number): string {
  return text.length > longest ? text.slice(0, longest) : text;
}

function dropOldest(keys: Map<string, unknown> | Set<string>, most: number): void {
  const oldest = keys.size > most ? keys.keys().next().value : undefined;
  if (oldest !== undefined) keys.delete(oldest);
}
