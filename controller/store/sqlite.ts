/** The graph in one SQLite file. `node:sqlite` is synchronous, so callers batch: one `save` is one transaction. */
import { LazyscopeError, reasonOf } from '../core/error.ts';
import type { Dependency, Timestamp } from '../core/model.ts';
import type { Problem, Store, StoredGraph } from '../core/ports.ts';
import { type DatabaseFile, isCorruption, openDatabase, prepare, setAside } from './sqlite-file.ts';
import { RowReader, SELECT_ALL, toRow, UPSERT } from './sqlite-row.ts';
import { inTransaction } from './sqlite-transaction.ts';

export interface SqliteStoreOptions {
  /** The database file; missing folders are made. SQLite keeps `-wal` and `-shm` files beside it. */
  readonly path: string;
  /** Told about a file that was set aside or replaced, and about rows that cannot be read. */
  readonly onProblem: (problem: Problem) => void;
  /** Dates a store that has to be made anew while it is used. Default: the system's clock. */
  readonly now?: () => Timestamp;
}

export class SqliteStore implements Store {
  readonly #path: string;
  readonly #onProblem: (problem: Problem) => void;
  readonly #now: () => Timestamp;
  #isOpen = false;
  /** Absent while closed, and while a lost file could not be opened anew. */
  #file: DatabaseFile | undefined;

  constructor({ path, onProblem, now = Date.now }: SqliteStoreOptions) {
    this.#path = path;
    this.#onProblem = onProblem;
    this.#now = now;
  }

  /** @throws LazyscopeError `StoreUnusable`: no right to the folder, a newer schema, another program's database. */
  async load(now: Timestamp): Promise<StoredGraph> {
    await this.close();
    try {
      const stored = this.#open(now);
      this.#isOpen = true;
      return stored;
    } catch (error) {
      throw LazyscopeError.from('StoreUnusable', `store ${this.#path}`, error);
    }
  }

  /** @throws LazyscopeError `StoreUnusable`; nothing of the batch is kept then. See {@link Store.save}. */
  async save(dependencies: readonly Dependency[]): Promise<void> {
    if (!this.#isOpen) throw new LazyscopeError('StoreUnusable', `store ${this.#path} is not open`);
    try {
      this.#saveOrRecover(dependencies);
    } catch (error) {
      throw LazyscopeError.from('StoreUnusable', `store ${this.#path}`, error);
    }
  }

  async close(): Promise<void> {
    this.#release();
    this.#isOpen = false;
  }

  #release(): void {
    this.#file?.database.close();
    this.#file = undefined;
  }

  #open(now: Timestamp): StoredGraph {
    try {
      return this.#read(now);
    } catch (error) {
      if (!isCorruption(error)) throw error;
      this.#release();
      const aside = setAside(this.#path, new Date(now));
      this.#onProblem({ subject: this.#path, reason: `is damaged (${reasonOf(error)}); it was set aside as ${aside}` });
      return this.#read(now);
    }
  }

  #read(now: Timestamp): StoredGraph {
    const file = openDatabase(this.#path);
    this.#file = file;
    prepare(file.database, "INSERT OR IGNORE INTO meta (name, value) VALUES ('createdAt', ?)").run(now);
    const created = prepare(file.database, "SELECT value FROM meta WHERE name = 'createdAt'").get();
    const { dependencies, isComplete } = this.#readDependencies(file);
    // What could not be read may be held by sidecars still, so that the store counts as young: they seed it.
    return { dependencies, createdAt: isComplete ? Number(created?.['value']) : now };
  }

  #readDependencies({ database }: DatabaseFile): { readonly dependencies: Dependency[]; readonly isComplete: boolean } {
    const dependencies: Dependency[] = [];
    const rows = new RowReader();
    let isComplete = true;
    for (const row of prepare(database, SELECT_ALL).iterate()) {
      try {
        dependencies.push(rows.read(row));
      } catch (error) {
        const { message } = LazyscopeError.from('StoreUnusable', 'skipped', error);
        isComplete = false;
        this.#onProblem({ subject: `${this.#path} row "${row['key']}"`, reason: message });
      }
    }
    return { dependencies, isComplete };
  }

  #saveOrRecover(dependencies: readonly Dependency[]): void {
    if (!this.#file?.isInPlace()) this.#recover('is not the file any more that was opened');
    try {
      this.#write(this.#file, dependencies);
    } catch (error) {
      if (isCorruption(error)) this.#recover('is damaged');
      throw error;
    }
  }

  #write({ database }: DatabaseFile, dependencies: readonly Dependency[]): void {
    if (dependencies.length === 0) return;
    const upsert = prepare(database, UPSERT);
    inTransaction(database, () => {
      for (const dependency of dependencies) upsert.run({ ...toRow(dependency) });
    });
  }

  /**
   * Starts over with whatever is at the path now. Its date is today's, not the lost one's: until everything is saved
   * again, the store knows less than the sidecars hold, and a young store is one that removes nothing from them.
   */
  #recover(what: string): never {
    this.#release();
    this.#open(this.#now());
    const reason = `${what}, so it was opened anew; everything must be saved again`;
    this.#onProblem({ subject: this.#path, reason });
    throw new LazyscopeError('StoreUnusable', `store ${this.#path} ${reason}`);
  }
}
