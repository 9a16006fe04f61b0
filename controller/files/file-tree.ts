/** All files under the path, as they are followed from look to look. */
import type { Problem } from '../core/ports.ts';
import type { KnownObjects } from './file-objects.ts';
import type { Listing } from './folder.ts';
import { type FileContext, TrackedFile } from './tracked-file.ts';

/** Takes everything that is wrong in one place now; an empty list when nothing is. */
export type Report = (place: string, problems: readonly Problem[]) => void;

/** The files, what they contribute, and when one is to be read. */
export class FileTree {
  readonly #context: FileContext;
  readonly #report: Report;
  readonly #files = new Map<string, TrackedFile>();

  constructor(context: FileContext, report: Report) {
    this.#context = context;
    this.#report = report;
  }

  /**
   * Takes note of what there is.
   * @param wallClock milliseconds since the epoch, where the files' own times may be trusted: at start, a file that was
   *   written long ago need not be watched for half a second first
   */
  look({ files, unknown }: Listing, wallClock?: number): void {
    for (const [path, status] of files) {
      const file = this.#files.get(path) ?? new TrackedFile(path, this.#context);
      this.#files.set(path, file);
      file.look(status, wallClock === undefined ? 0 : wallClock - status.modifiedAt);
    }
    for (const [path, file] of this.#files) {
      if (files.has(path) || unknown.some((hidden) => path === hidden || path.startsWith(`${hidden}/`))) continue;
      file.missed();
      if (file.known.size === 0) this.#forget(path);
    }
  }

  #forget(path: string): void {
    this.#files.delete(path);
    this.#report(`content of ${path}`, []);
    this.#report(`writing of ${path}`, []);
  }

  /** Reads every file that is due, one after the other. */
  async readDue(): Promise<void> {
    for (const file of this.#files.values()) {
      const due = file.due();
      if (due !== undefined && due <= this.#context.elapsed()) {
        const problems = await file.read();
        if (problems) this.#report(`content of ${file.path}`, problems);
      }
      this.#report(`writing of ${file.path}`, file.restlessness());
    }
  }

  /** Every file has been read as it is now. */
  get read(): boolean {
    return ![...this.#files.values()].some((file) => file.unread);
  }

  /** When the next file is to be read, on the clock of the context; `Infinity` if none is. */
  nextDue(): number {
    return [...this.#files.values()].reduce(
      (next, file) => Math.min(next, file.due() ?? next),
      Number.POSITIVE_INFINITY,
    );
  }

  /** What every file contributes, by path, in name order. A file without news contributes the identical map. */
  contributions(): ReadonlyMap<string, KnownObjects> {
    const inOrder = [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return new Map(inOrder.map((file) => [file.path, file.known]));
  }

  /** How many objects were left out, by kind. */
  ignored(): ReadonlyMap<string, number> {
    const sum = new Map<string, number>();
    for (const { ignored } of this.#files.values()) {
      for (const [kind, count] of ignored) sum.set(kind, (sum.get(kind) ?? 0) + count);
    }
    return sum;
  }
}
