import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DueWrite, Publication, type WorkloadPlan } from '../../../../controller/core/istio/publication.ts';
import { refusal } from '../../../../controller/core/istio/refusal.ts';
import { reduce } from '../../../../controller/wire/kubernetes/reduce.ts';
import { EGRESS, FRONT, keyOf, SETTINGS } from './istio-world.ts';

/** One workload whose plan is set by hand; times count from 0. */
class One {
  readonly publication = new Publication(SETTINGS);
  plan: WorkloadPlan = { enforcement: { kind: 'Lazy', selector: { app: 'front' } }, wanted: new Set() };
  readonly #view = { base: new Set([EGRESS]), plan: () => this.plan };

  want(at: number, ...names: string[]): void {
    const enforcement = { kind: 'Lazy', selector: { app: 'front' } } as const;
    this.plan = { enforcement, wanted: new Set(names.map((name) => keyOf(name))) };
    this.publication.soil([FRONT], at);
  }

  due(now: number): DueWrite | undefined {
    return this.publication.due(this.#view, now)[0];
  }

  /** @returns what is due at that time, after it was written, as `a b | c` */
  write(now: number): string {
    const due = this.due(now);
    if (!due) return 'nothing';
    this.answer(due, now);
    return print(due);
  }

  /** The API server has it, and the watch tells it. */
  answer(due: DueWrite, now: number): void {
    this.publication.written(due, now);
    this.tell(due, now);
  }

  tell(due: DueWrite, now: number): void {
    const told = due.write.type === 'Apply' ? [due.write.manifest] : [];
    const [object] = told.flatMap((manifest) => reduce(manifest, { clusterDomain: 'cluster.local' }).objects);
    const managed = object?.kind === 'Sidecar' ? object.managed : undefined;
    this.publication.observed(FRONT, managed, this.#view, now);
  }

  /** Written at rest, long ago. */
  atRest(...names: string[]): this {
    this.want(-1_000_000, ...names);
    for (let now = -900_000; now < -100_000; now += 100_000) this.write(now);
    return this;
  }
}

function print({ scope }: DueWrite): string {
  const names = (keys: Iterable<string> = []) =>
    [...keys].map((key) => key.replace(/^shop\/([^.]*).*/, '$1')).join(' ');
  return scope ? `${names(scope.routed)} | ${names(scope.warm)}`.trim() : 'delete';
}

describe('a burst of news', () => {
  it('is one write, 50 ms after the first of it', () => {
    const one = new One().atRest();
    one.want(0, 'a');
    assert.deepEqual([one.due(0), one.publication.nextAt], [undefined, 50]);
    one.want(40, 'a', 'b');
    assert.equal(one.publication.nextAt, 40);
    assert.equal(one.write(50), '| a b');
  });

  it('that goes on makes writes further and further apart', () => {
    const one = new One().atRest();
    const times: number[] = [];
    for (let now = 0; now < 60_000; now += 50) {
      one.want(now, ...Array.from({ length: now / 50 + 1 }, (_, index) => `s${index}`));
      if (one.write(now) === 'nothing') continue;
      times.push(now);
      one.publication.arrived(now, now);
    }
    assert.deepEqual(times, [50, 1_250, 4_250, 10_250, 22_250, 34_250, 46_250, 58_250]);
  });
});

describe('while a write is under way', () => {
  it('nothing else of that workload is', () => {
    const one = new One().atRest();
    one.want(0, 'a');
    const due = one.due(50);
    assert.ok(due);
    one.want(60, 'a', 'b');
    assert.equal(one.due(30_000), undefined);
    one.answer(due, 30_000);
    assert.equal(one.write(60_000), 'a | b');
  });
});

describe('a write that nobody answered', () => {
  const unanswered = (): One => {
    const one = new One().atRest();
    one.want(0, 'a');
    const due = one.due(50);
    assert.ok(due);
    one.publication.failed(due, 'Unknown', 60);
    one.want(100);
    return one;
  };

  it('is repeated before anything else, whatever is wanted by now', () => {
    const one = unanswered();
    assert.equal(one.due(100), undefined);
    assert.equal(one.publication.nextAt, 5_060);
    assert.equal(one.write(5_060), '| a');
    assert.equal(one.write(20_000), '|');
  });

  it('is not once the watch has told it', () => {
    const one = new One().atRest();
    one.want(0, 'a');
    const due = one.due(50) ?? assert.fail();
    one.publication.failed(due, 'Unknown', 60);
    one.want(100);
    one.tell(due, 1_000);
    assert.equal(one.write(5_060), 'nothing');
    assert.equal(one.write(13_000), '|');
  });

  it('is forgotten where it was refused: the API server does not have it', () => {
    const one = new One().atRest();
    one.want(0, 'a');
    const due = one.due(50);
    assert.ok(due);
    one.publication.failed(due, 'Refused', 60);
    one.want(100);
    assert.equal(one.write(5_060), 'nothing');
  });

  it('is given up 30 s after the last try, when the watch would have told it', () => {
    const one = unanswered();
    one.publication.failed(one.due(5_060) ?? assert.fail(), 'Unknown', 5_060);
    one.publication.failed(one.due(15_060) ?? assert.fail(), 'Unknown', 15_060);
    one.publication.failed(one.due(35_060) ?? assert.fail(), 'Unknown', 35_060);
    assert.equal(one.write(75_060), 'nothing');
  });
});

describe('a workload', () => {
  it('without pods is left as it is', () => {
    const one = new One().atRest('a');
    one.plan = { enforcement: { kind: 'Asleep' }, wanted: new Set() };
    one.publication.soil([FRONT], 0);
    assert.deepEqual([one.write(1_000), one.publication.nextAt], ['nothing', Number.POSITIVE_INFINITY]);
  });

  it('that may not be selected any more keeps its selector until its Sidecar is gone', () => {
    const one = new One().atRest('a');
    one.plan = { enforcement: { kind: 'Eager', refusal: refusal('NoCommonLabels', 'x') }, wanted: new Set() };
    one.publication.soil([FRONT], 0);
    const due = one.due(0);
    const spec = due?.write.type === 'Apply' ? due.write.manifest.spec : {};
    assert.deepEqual('workloadSelector' in spec && spec.workloadSelector, { labels: { app: 'front' } });
    assert.equal(one.publication.status(FRONT).refusal?.reason, 'NoCommonLabels');
  });

  it('that is refused is written at once, however lately it was written', () => {
    const one = new One().atRest();
    one.want(0, 'a');
    assert.equal(one.write(50), '| a');
    one.plan = { enforcement: { kind: 'Eager' }, wanted: new Set() };
    one.publication.soil([FRONT], 60);
    assert.equal(one.write(60), '| */*');
  });
});
