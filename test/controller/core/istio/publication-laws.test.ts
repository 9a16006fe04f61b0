/**
 * Publication against an API server that answers, tells and fails when it likes, an istiod that pushes up to 10 s later
 * and then everything at once, and controllers that are killed.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type DueWrite, Publication, type WorkloadPlan } from '../../../../controller/core/istio/publication.ts';
import { publishedScope } from '../../../../controller/core/istio/published-workload.ts';
import type { ManagedSidecar } from '../../../../controller/core/mesh-policy.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import { EGRESS, FRONT, SETTINGS } from './istio-world.ts';
import { ModelledSidecar, SERVICES } from './modelled-sidecar.ts';

const HOUR_MS = 3_600_000;

/** How one write goes; all in ms. */
interface Fortune {
  /** The API server has it after this long. */
  readonly stored: number;
  /** The answer comes this long after that, or an error does (which may be a lie). */
  readonly answered: number;
  readonly outcome: 'Done' | 'Refused' | 'DoneUnheard' | 'NotDoneUnheard';
  /** The watch tells this long after it was stored: possibly before the answer. */
  readonly told: number;
  /** istiod pushes, all that there is by then, this long after it was stored. */
  readonly pushed: number;
  /** Whether a probe tells the arrival. */
  readonly probed: boolean;
}

const anyFortune: fc.Arbitrary<Fortune> = fc.record({
  stored: fc.integer({ min: 1, max: 500 }),
  answered: fc.integer({ min: 0, max: 500 }),
  outcome: fc.constantFrom('Done', 'Done', 'Done', 'Done', 'Refused', 'DoneUnheard', 'NotDoneUnheard'),
  told: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 25_000 })),
  pushed: fc.oneof(fc.integer({ min: 100, max: 500 }), fc.integer({ min: 100, max: 10_000 })),
  probed: fc.boolean(),
});

const GOOD: Fortune = { stored: 1, answered: 1, outcome: 'Done', told: 1, pushed: 100, probed: false };

interface Happening {
  readonly after: number;
  /** What is wanted from then on; `eager`, or the controller is killed and started anew. */
  readonly what: readonly string[] | 'eager' | 'restart';
}

const anyHappening: fc.Arbitrary<Happening> = fc.record({
  after: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 40_000 })),
  what: fc.oneof(
    { weight: 6, arbitrary: fc.subarray([...SERVICES]) },
    { weight: 1, arbitrary: fc.constant('eager' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  ),
});

interface Later {
  readonly at: number;
  readonly run: () => void;
  /** Of the controller with which it dies. */
  readonly life?: number;
  readonly isStore?: boolean;
}

class Mesh {
  now = 1_000;
  writes = 0;
  #wanted: readonly string[] | 'eager' = 'eager';
  #publication = new Publication(SETTINGS);
  readonly #sidecar = new ModelledSidecar(undefined);
  #stored: ManagedSidecar | undefined;
  #fortunes: Fortune[];
  #life = 0;
  /** A watch tells in order. */
  #toldAt = 0;
  #later: Later[] = [];
  readonly #view = { base: new Set([EGRESS]), plan: () => this.#plan() };

  constructor(fortunes: readonly Fortune[]) {
    this.#fortunes = [...fortunes];
  }

  #plan(): WorkloadPlan {
    if (this.#wanted === 'eager') return { enforcement: { kind: 'Eager' }, wanted: new Set() };
    return { enforcement: { kind: 'Lazy', selector: { app: 'front' } }, wanted: new Set(this.#wanted) };
  }

  happen({ after, what }: Happening): void {
    this.pass(after);
    if (what === 'restart') {
      // What the dead controller had sent is stored before the next one begins, which is told nothing older than that.
      for (const { isStore, run } of this.#later) if (isStore) run();
      this.#later = this.#later.filter(({ isStore, life }) => !isStore && life === undefined);
      this.#life += 1;
      this.#publication = new Publication(SETTINGS);
      this.#publication.observed(FRONT, this.#stored, this.#view, this.now);
    } else this.#wanted = what;
    this.#publication.soil([FRONT], this.now);
  }

  /** From now on everything goes well. */
  calm(): void {
    this.#fortunes = [];
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (let rounds = 0; ; rounds += 1) {
      assert.ok(rounds < 10_000, 'something is due again and again');
      const next = Math.min(this.#publication.nextAt, ...this.#later.map(({ at }) => at));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      const due = this.#later.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at);
      this.#later = this.#later.filter(({ at }) => at > this.now);
      for (const { run } of due) run();
      this.#write();
    }
    this.now = end;
  }

  #write(): void {
    const due = this.#publication.due(this.#view, this.now);
    for (const write of due) this.#send(write, this.#fortunes.pop() ?? GOOD);
  }

  #send(due: DueWrite, { stored, answered, outcome, told, pushed, probed }: Fortune): void {
    this.writes += 1;
    const life = this.#life;
    const publication = this.#publication;
    const at = this.now + stored;
    if (outcome === 'Done' || outcome === 'DoneUnheard') {
      this.#later.push({ at, run: () => this.#store(due, told, pushed), isStore: true });
      // Whoever is told of a write is told of those before it too: the probe asks after the answer.
      const arrived = Math.max(at + pushed, at + answered) + 1;
      if (probed) this.#at(arrived, () => publication.arrived(at + answered, this.now), life);
    }
    this.#at(
      at + answered,
      () => {
        if (outcome === 'Done') publication.written(due, this.now);
        else publication.failed(due, outcome === 'Refused' ? 'Refused' : 'Unknown', this.now);
      },
      life,
    );
  }

  #store({ write }: DueWrite, told: number, pushed: number): void {
    const [object] = write.type === 'Apply' ? reduce(write.manifest, { clusterDomain: 'cluster.local' }).objects : [];
    this.#stored = object?.kind === 'Sidecar' ? object.managed : undefined;
    const stored = this.#stored;
    this.#toldAt = Math.max(this.#toldAt, this.now + told);
    this.#at(this.#toldAt, () => this.#publication.observed(FRONT, stored, this.#view, this.now), this.#life);
    this.#at(this.now + pushed, () => this.#push());
  }

  #push(): void {
    const stored = this.#stored;
    this.#sidecar.push(stored && publishedScope(stored, this.#view.base));
  }

  /** @param life of the controller with which it dies */
  #at(at: number, run: () => void, life?: number): void {
    this.#later.push({ at, run, ...(life === undefined ? {} : { life }) });
  }

  assertReached(): void {
    const wanted = this.#wanted === 'eager' ? [...SERVICES] : [...this.#wanted].sort();
    assert.deepEqual([this.#sidecar.routes, this.#sidecar.clusters], [wanted, wanted]);
  }
}

const happenings = fc.array(anyHappening, { maxLength: 20, size: 'max' });
const fortunes = fc.array(anyFortune, { maxLength: 40, size: 'max' });

describe('whatever is wanted when, and however the API server and istiod take it', () => {
  it('no route leads to a cluster that comes or goes with it; what is wanted is reached; then nothing is written', () => {
    fc.assert(
      fc.property(happenings, fortunes, (all, luck) => {
        const mesh = new Mesh(luck);
        for (const happening of all) mesh.happen(happening);
        mesh.calm();
        mesh.pass(HOUR_MS);
        mesh.assertReached();
        const { writes } = mesh;
        mesh.pass(24 * HOUR_MS);
        assert.equal(mesh.writes, writes);
      }),
      { numRuns: 2_000 },
    );
  });
});
