/** A database file of its own for one test. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Problem } from '../../../controller/core/ports.ts';
import { SqliteStore } from '../../../controller/store/sqlite.ts';

export interface TemporaryStore {
  readonly folder: string;
  readonly path: string;
  /** What the stores of {@link TemporaryStore.open} reported. */
  readonly problems: readonly Problem[];
  /** One more store on the same file, not loaded; closed when the test ends. */
  open(now?: () => number): SqliteStore;
}

/** A file system in memory, where it costs nothing to have a file written through; processes see no difference. */
export const IN_MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** @param parent where its folder is made */
export function temporaryStore(t: TestContext, parent = tmpdir()): TemporaryStore {
  const folder = mkdtempSync(join(parent, 'lazyscope-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'lazyscope.db');
  const problems: Problem[] = [];
  const onProblem = (problem: Problem) => void problems.push(problem);
  const open = (now: () => number = Date.now) => {
    const store = new SqliteStore({ path, onProblem, now });
    t.after(() => store.close());
    return store;
  };
  return { folder, path, problems, open };
}
