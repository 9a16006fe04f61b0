/** Stores as a process left them, for damage to be done to copies of them. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { dependencyKey } from '../../../controller/core/graph/dependency.ts';
import type { Dependency } from '../../../controller/core/model.ts';
import type { Problem, StoredGraph } from '../../../controller/core/ports.ts';
import { SqliteStore } from '../../../controller/store/sqlite.ts';
import { dependency } from '../../support/dependencies.ts';
import { temporaryStore } from './temporary-store.ts';

export const CREATED_AT = 1;
/** When damaged stores are loaded. */
export const NOW = Date.UTC(2026, 6, 1, 12);

/** Database, log and index of the log. */
export const SUFFIXES = ['', '-wal', '-shm'] as const;
export type Suffix = (typeof SUFFIXES)[number];

const PAGE = 4096;
/** https://sqlite.org/walformat.html: a header, then frames of a header and a page each. */
const LOG_HEADER = 32;
const FRAME = 24 + PAGE;

/** Files of a store that is not in use. */
export interface LeftStore {
  readonly path: string;
  readonly saved: readonly Dependency[];
  /** Bytes of one of its files; 0 where there is none. */
  size(suffix: Suffix): number;
}

/** What a damaged copy told when it was loaded. */
export interface Loaded {
  readonly graph: StoredGraph;
  readonly problems: readonly Problem[];
  /** Whether there is a file that was set aside. */
  readonly isSetAside: boolean;
}

const clients = (from: number, to: number): Dependency[] =>
  Array.from({ length: to - from }, (_, i) => dependency({ source: `shop/Deployment/client-${from + i}` }));

function leftStore(path: string, saved: readonly Dependency[]): LeftStore {
  const size = (suffix: Suffix): number => statSync(path + suffix, { throwIfNoEntry: false })?.size ?? 0;
  return { path, saved, size };
}

/** @returns the path of the copy */
export function copyStore(from: string, to: string): string {
  mkdirSync(dirname(to), { recursive: true });
  for (const suffix of SUFFIXES) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
  return to;
}

/** Closed in order: everything is in the database. */
export async function closedStore(t: TestContext): Promise<LeftStore> {
  const { open, path } = temporaryStore(t);
  const store = open();
  await store.load(CREATED_AT);
  const saved = clients(0, 60);
  await store.save(saved);
  await store.close();
  return leftStore(path, saved);
}

/** Left by kill -9: the older half in the database, changes and the other half in its log alone. */
export async function killedStore(t: TestContext): Promise<LeftStore> {
  const { open, path, folder } = temporaryStore(t);
  const store = open();
  await store.load(CREATED_AT);
  await store.save(clients(0, 30));
  await store.close();
  await store.load(CREATED_AT);
  for (let from = 30; from < 60; from += 10) await store.save(clients(from - 5, from + 10));
  return leftStore(copyStore(path, join(folder, 'killed', 'lazyscope.db')), clients(0, 60));
}

/** Left by kill -9 after a part of the log was copied into the database, as a reader held the rest back. */
export async function halfCheckpointedStore(t: TestContext): Promise<LeftStore> {
  const { open, path, folder } = temporaryStore(t);
  const store = open();
  await store.load(CREATED_AT);
  for (const from of [0, 15]) await store.save(clients(from, from + 15));
  const reader = new DatabaseSync(path);
  reader.exec('BEGIN; SELECT count(*) FROM dependency');
  for (const from of [30, 45]) await store.save(clients(from, from + 15));
  const checkpointer = new DatabaseSync(path);
  const { log, checkpointed } = checkpointer.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {};
  assert.ok(Number(checkpointed) > 0 && Number(checkpointed) < Number(log), `${checkpointed} of ${log} frames`);
  const left = leftStore(copyStore(path, join(folder, 'killed', 'lazyscope.db')), clients(0, 60));
  for (const other of [reader, checkpointer]) other.close();
  return left;
}

/** Every size at which a database ends with a page, shorter than it is. */
export function pageSizes(left: LeftStore): number[] {
  return Array.from({ length: left.size('') / PAGE }, (_, page) => page * PAGE);
}

/** Every size at which a log ends with a frame, shorter than it is; and without its header. */
export function frameSizes(left: LeftStore): number[] {
  const frames = (left.size('-wal') - LOG_HEADER) / FRAME;
  return [0, ...Array.from({ length: frames }, (_, frame) => LOG_HEADER + frame * FRAME)];
}

/** Damages a copy, loads it, and removes it; `damage` may take its time. */
export async function loadDamaged(left: LeftStore, damage: (path: string) => unknown): Promise<Loaded> {
  const path = copyStore(left.path, `${left.path}.copy/lazyscope.db`);
  const problems: Problem[] = [];
  const store = new SqliteStore({ path, onProblem: (problem) => problems.push(problem) });
  try {
    await damage(path);
    const graph = await store.load(NOW);
    return { graph, problems, isSetAside: readdirSync(dirname(path)).some((name) => name.includes('.corrupt-')) };
  } finally {
    await store.close();
    rmSync(dirname(path), { recursive: true });
  }
}

/** Complete and silent about it. */
export function assertWhole({ graph, problems, isSetAside }: Loaded, { saved }: LeftStore, what: string): void {
  const byKey = (all: readonly Dependency[]) => new Map(all.map((one) => [dependencyKey(one), one]));
  assert.deepEqual([problems, isSetAside, graph.createdAt], [[], false, CREATED_AT], what);
  assert.deepEqual(byKey(graph.dependencies), byKey(saved), what);
}

/** Set aside and named; the new one is empty and young, so that what sidecars hold seeds it. */
export function assertSetAside({ graph, problems, isSetAside }: Loaded, what: string): void {
  assert.deepEqual(graph, { dependencies: [], createdAt: NOW }, what);
  assert.ok(isSetAside, what);
  assert.equal(problems.length, 1, what);
  assert.match(problems[0]?.reason ?? '', /^is damaged \(.+\); it was set aside as .+\.corrupt-/s, what);
}
