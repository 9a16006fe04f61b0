/** Looks at the API without a pause, and holds the controller to every edge that it has ever shown. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { dependencyKey } from '../../controller/core/graph/dependency.ts';
import type { EdgeReport } from '../../controller/core/report.ts';
import { SqliteStore } from '../../controller/store/sqlite.ts';
import type { Controller } from '../support/bed/controller.ts';
import { eventually } from '../support/eventually.ts';

const LOOKS_EVERY_MS = 15;

/** The same text as {@link dependencyKey}. */
const keyOf = ({ from, to, port, protocol }: EdgeReport): string => `${from} ${to}:${port} ${protocol}`;

export class EdgeWitness {
  readonly #controller: Controller;
  readonly #shown = new Set<string>();
  /** Edges beyond `observed`: they are in scopes, so that they must have been durable before. */
  readonly #published = new Set<string>();
  readonly #watching: Promise<void>;
  #stopped = false;

  constructor(controller: Controller) {
    this.#controller = controller;
    this.#watching = this.#watch();
  }

  /** Edges that the API has shown so far. */
  get shown(): number {
    return this.#shown.size;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#watching;
  }

  /** The store that a killed controller left has every edge that was published, whoever else could tell of them. */
  async assertStored(): Promise<void> {
    const expected = [...this.#published];
    const folder = mkdtempSync(join(tmpdir(), 'lazyscope-left-'));
    const path = join(folder, 'left.db');
    for (const suffix of ['', '-wal', '-shm']) {
      const file = this.#controller.storePath + suffix;
      if (existsSync(file)) copyFileSync(file, path + suffix);
    }
    const store = new SqliteStore({ path, onProblem: ({ reason }) => assert.fail(reason) });
    try {
      const { dependencies } = await store.load(Date.now());
      const stored = new Set(dependencies.map(dependencyKey));
      assert.deepEqual(
        expected.filter((key) => !stored.has(key)),
        [],
        'published, but not stored',
      );
    } finally {
      await store.close();
      rmSync(folder, { recursive: true });
    }
  }

  /** The API shows again whatever it has ever shown; the egress announces again what was shown, but not saved yet. */
  async assertShownAgain(): Promise<void> {
    await this.#assertAgain(this.#shown);
  }

  async assertPublishedAgain(): Promise<void> {
    await this.#assertAgain(this.#published);
  }

  async #assertAgain(expected: ReadonlySet<string>): Promise<void> {
    const wanted = [...expected];
    await eventually('the API shows every edge that it has shown before', async () => {
      const known = new Set((await this.#controller.api.edges()).map(keyOf));
      const lost = wanted.filter((key) => !known.has(key));
      assert.deepEqual(lost, []);
      return true;
    });
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      const edges = await this.#controller.api.edges().catch(() => []);
      for (const edge of edges) {
        this.#shown.add(keyOf(edge));
        if (edge.state !== 'observed') this.#published.add(keyOf(edge));
      }
      await delay(LOOKS_EVERY_MS);
    }
  }
}
