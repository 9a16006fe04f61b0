/** Bytes of a store that changed by themselves: nothing is made of them that was not learned, and no loss is silent. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { LazyscopeError } from '../../../controller/core/error.ts';
import { dependencyKey } from '../../../controller/core/graph/dependency.ts';
import type { Dependency } from '../../../controller/core/model.ts';
import {
  closedStore,
  killedStore,
  type LeftStore,
  type Loaded,
  loadDamaged,
  NOW,
  pageSizes,
} from './damaged-copies.ts';

const SEED = 20_260_701;
const RUNS_PER_PAGE = 60;
const PAGE = 4096;

interface Flip {
  readonly offset: number;
  /** What a byte is changed by. */
  readonly bits: number;
}

/** A few of one page. */
const flips: fc.Arbitrary<readonly Flip[]> = fc.array(
  fc.record({ offset: fc.nat(PAGE - 1), bits: fc.integer({ min: 1, max: 255 }) }),
  { minLength: 1, maxLength: 3 },
);

function flip(file: string, start: number, flipped: readonly Flip[]): void {
  const bytes = readFileSync(file);
  for (const { offset, bits } of flipped) {
    const at = start + offset;
    if (at < bytes.length) bytes.writeUInt8(bytes.readUInt8(at) ^ bits, at);
  }
  writeFileSync(file, bytes);
}

/** What tells dependencies apart, and what sidecars are told of them. */
function identity({ state, origin, ...one }: Dependency): string {
  return `${dependencyKey(one)} ${state} ${origin}`;
}

function assertNothingWrong({ graph, problems }: Loaded, { saved }: LeftStore): void {
  const learned = new Set(saved.map(identity));
  const loaded = new Set(graph.dependencies.map(identity));
  assert.deepEqual(
    [...loaded].filter((one) => !learned.has(one)),
    [],
    'nothing that was not learned',
  );
  assert.doesNotThrow(() => graph.dependencies.map(({ lastSeen }) => new Date(lastSeen).toISOString()));
  if (loaded.size === learned.size) return;
  assert.ok(problems.length > 0, 'a loss is named');
  assert.equal(graph.createdAt, NOW, 'what knows less than sidecars may is young');
}

/** Refused like another program's database, which its header may say now: nothing is overwritten, and it is named. */
function assertRefusal(error: unknown): void {
  assert.ok(error instanceof LazyscopeError && error.code === 'StoreUnusable', String(error));
  assert.match(error.message, /lazyscope\.db/);
}

async function assertSurvives(left: LeftStore, damage: (path: string) => void): Promise<void> {
  const loaded = await loadDamaged(left, damage).catch(assertRefusal);
  if (loaded) assertNothingWrong(loaded, left);
}

const property = (left: LeftStore, damage: (path: string, flipped: readonly Flip[]) => void) =>
  fc.assert(
    fc.asyncProperty(flips, (flipped) => assertSurvives(left, (path) => damage(path, flipped))),
    { seed: SEED, numRuns: RUNS_PER_PAGE },
  );

test('bytes of a page of the database', async (t) => {
  const left = await closedStore(t);
  for (const start of pageSizes(left)) await property(left, (path, flipped) => flip(path, start, flipped));
});

test('bytes of the log and of its index', async (t) => {
  const left = await killedStore(t);
  for (const suffix of ['-wal', '-shm'] as const) {
    for (let start = 0; start < left.size(suffix); start += 4 * PAGE) {
      await property(left, (path, flipped) => flip(path + suffix, start, flipped));
    }
  }
});

test('the first byte of every name that is kept', async (t) => {
  const left = await closedStore(t);
  const original = readFileSync(left.path);
  const places: number[] = [];
  for (let at = original.indexOf('shop/Deployment/'); at >= 0; at = original.indexOf('shop/Deployment/', at + 1)) {
    places.push(at);
  }
  assert.ok(places.length >= 2 * left.saved.length, 'key and column of every row');
  for (const offset of places.filter((_, index) => index % 5 === 0)) {
    await assertSurvives(left, (path) => flip(path, 0, [{ offset, bits: 1 }]));
  }
});
