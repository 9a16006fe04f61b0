/** Mesh objects from a file or folder of Kubernetes YAML and JSON, followed while they change. */
import { LazyscopeError, reasonOf } from '../core/error.ts';
import type { MeshObject } from '../core/mesh-object.ts';
import type { MeshEvent, MeshSink, MeshSource, Problem } from '../core/ports.ts';
import type { ReduceOptions } from '../wire/kubernetes/reduction.ts';
import type { KnownObjects } from './file-objects.ts';
import { FileTree } from './file-tree.ts';
import { type Listing, listFiles } from './folder.ts';
import { restAfter } from './looking.ts';
import { difference, mergeFiles } from './merge.ts';
import { ProblemNews } from './problem-news.ts';
import { DEFAULT_TIMINGS, type FilesTimings } from './timings.ts';
import { WatchHint } from './watch-hint.ts';

/** Where the files are and how they are read. */
export interface FilesSourceOptions extends ReduceOptions {
  /** A folder, or one file. It may come into being later; until then the source is not synced. */
  readonly path: string;
  /** Milliseconds since the epoch, `Date.now` by default: stamps events, and tells the age of files at start. */
  readonly now?: () => number;
  /** {@link DEFAULT_TIMINGS} where not given. */
  readonly timings?: Partial<FilesTimings>;
}

/** Writers cause bursts of notifications; one look after this many milliseconds answers them all. */
const HINT_DELAY = 10;

/**
 * Tells the objects of the files under a path, then what changes. Broken and half-written files remove nothing:
 * see {@link file://./file-objects.ts}.
 */
export class FilesSource implements MeshSource {
  readonly #path: string;
  readonly #now: () => number;
  readonly #timings: FilesTimings;
  readonly #tree: FileTree;
  readonly #hint: WatchHint;
  readonly #news = new ProblemNews();
  #contributions: ReadonlyMap<string, KnownObjects> = new Map();
  #told: ReadonlyMap<string, MeshObject> = new Map();
  #started: { readonly sink: MeshSink; readonly synced: () => void } | undefined;
  #synced = false;
  #timer: NodeJS.Timeout | undefined;
  #hurried = false;
  #scanning: Promise<void> | undefined;
  /** Milliseconds that the last listing took. */
  #lookingTime = 0;

  constructor({ path, now, timings, ...options }: FilesSourceOptions) {
    this.#path = path;
    this.#now = now ?? Date.now;
    this.#timings = { ...DEFAULT_TIMINGS, ...timings };
    const context = { timings: this.#timings, options, elapsed: () => performance.now() };
    this.#tree = new FileTree(context, (place, problems) => this.#report(place, problems));
    this.#hint = new WatchHint(path, () => this.#hurry());
  }

  /**
   * Resolves once every file has been told; keeps waiting for a path that does not exist.
   * @throws LazyscopeError `InvalidConfiguration` without a path
   */
  async start(sink: MeshSink): Promise<void> {
    if (this.#path === '') {
      throw new LazyscopeError(
        'InvalidConfiguration',
        'The files source needs a path: a folder of Kubernetes YAML or JSON',
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#started = { sink, synced: resolve };
    this.#wake();
    await promise;
  }

  /** Nothing is told any more from the moment of the call. */
  async stop(): Promise<void> {
    this.#started = undefined;
    await this.#scanning;
    clearTimeout(this.#timer);
    this.#hint.stop();
  }

  /** How many objects were left out, by kind: kinds that we have no use for, and Services without an address. */
  ignored(): ReadonlyMap<string, number> {
    return this.#tree.ignored();
  }

  /** The file system says that something changed. A scan that runs sets the timer by itself. */
  #hurry(): void {
    if (this.#scanning || this.#hurried || !this.#started) return;
    this.#hurried = true;
    this.#schedule(HINT_DELAY);
  }

  #schedule(wait: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#wake(), Math.max(1, wait, restAfter(this.#lookingTime)));
  }

  #wake(): void {
    this.#hurried = false;
    this.#scanning = this.#scan().finally(() => {
      this.#scanning = undefined;
      const untilDue = this.#tree.nextDue() - performance.now();
      if (this.#started) this.#schedule(Math.min(this.#timings.poll, untilDue));
    });
  }

  async #scan(): Promise<void> {
    const listing = await this.#list();
    if (!listing || !this.#started) return;
    this.#hint.start();
    this.#tree.look(listing, this.#synced ? undefined : this.#now());
    await this.#tree.readDue();
    this.#tell();
    if (!this.#synced && this.#tree.read) this.#sync();
  }

  /** What there is; `undefined` while the path itself cannot be looked at, which says nothing about its objects. */
  async #list(): Promise<Listing | undefined> {
    const begin = performance.now();
    try {
      const listing = await listFiles(this.#path);
      this.#report('folder', listing.problems);
      return listing;
    } catch (error) {
      this.#hint.stop();
      this.#report('folder', [{ subject: this.#path, reason: unavailable(error, this.#synced) }]);
      return undefined;
    } finally {
      this.#lookingTime = performance.now() - begin;
    }
  }

  #tell(): void {
    const contributions = this.#tree.contributions();
    if (!hasNews(this.#contributions, contributions)) return;
    this.#contributions = contributions;
    const merged = mergeFiles(contributions);
    const { applied, deleted } = difference(this.#told, merged.objects);
    this.#told = merged.objects;
    this.#report('merge', merged.problems);
    const at = this.#now();
    // First what is gone: an address may have a new owner.
    const batch: MeshEvent[] = [
      ...deleted.map((ref) => ({ type: 'Deleted', ref, at }) as const),
      ...applied.map((object) => ({ type: 'Applied', object, at }) as const),
    ];
    if (batch.length > 0) this.#started?.sink.events(batch);
  }

  #sync(): void {
    if (!this.#started) return;
    this.#synced = true;
    this.#started.sink.synced(this.#now());
    this.#started.synced();
  }

  /** Passes on what is new among the problems of one place. */
  #report(place: string, problems: readonly Problem[]): void {
    for (const problem of this.#news.of(place, problems)) this.#started?.sink.problem(problem);
  }
}

function hasNews(before: ReadonlyMap<string, KnownObjects>, now: ReadonlyMap<string, KnownObjects>): boolean {
  return before.size !== now.size || [...now].some(([path, known]) => before.get(path) !== known);
}

function unavailable(error: unknown, synced: boolean): string {
  const consequence = synced ? 'all objects are kept until it is back' : 'nothing is served until it can be read';
  return `${reasonOf(error)}: ${consequence}`;
}
