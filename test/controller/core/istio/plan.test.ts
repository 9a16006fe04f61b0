import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { nextStep, type Step, sameKeys, type Target } from '../../../../controller/core/istio/plan.ts';
import type { SidecarScope } from '../../../../controller/core/istio/sidecar.ts';
import { ModelledSidecar, SERVICES } from './modelled-sidecar.ts';

/** `a b | c`: routed to a and b, c is only held. */
function scope(text: string): SidecarScope {
  const [routed = '', warm = ''] = text.split('|');
  const keys = (part: string) => new Set(part.split(' ').filter((key) => key !== ''));
  return { routed: keys(routed), warm: keys(warm) };
}

function print(step: Step): string {
  if (step.kind === 'Rest') return step.waiting ? 'wait' : 'rest';
  if (step.kind === 'Delete') return 'delete';
  const { routed, warm } = step.scope;
  return `${[...routed].sort().join(' ')} | ${[...warm].sort().join(' ')}`.trim();
}

/** `published`: what the Sidecar says, `-` without one; `target`: what is wanted, `eager`. */
const STEPS: readonly (readonly [what: string, published: string, target: string, arrived: boolean, step: string])[] = [
  ['eager at rest', '-', 'eager', true, 'rest'],
  ['becoming lazy holds everything first', '-', 'a b', true, 'a b | */*'],
  ['becoming lazy waits', 'a | */*', 'a', false, 'wait'],
  ['becoming lazy, then only what is used', 'a | */*', 'a', true, 'a |'],
  ['what was learned meanwhile is held already', 'a | */*', 'a b', true, 'a b |'],
  ['what was forgotten meanwhile leaves in two phases', 'a b | */*', 'a', true, 'a | b'],
  ['lazy at rest', 'a |', 'a', true, 'rest'],
  ['lazy at rest before its last write has arrived', 'a |', 'a', false, 'rest'],
  ['learned: held first', 'a |', 'a b', true, 'a | b'],
  ['learned while the last routes are on their way', 'a |', 'a b', false, 'a | b'],
  ['learned: waits', 'a | b', 'a b', false, 'wait'],
  ['learned: routed to once it is held', 'a | b', 'a b', true, 'a b |'],
  ['learned during a phase: the next batch', 'a | b', 'a b c', false, 'wait'],
  ['the same write takes the next batch in', 'a | b', 'a b c', true, 'a b | c'],
  ['forgotten: no routes first', 'a b |', 'a', true, 'a | b'],
  ['forgotten: waits', 'a | b', 'a', false, 'wait'],
  ['forgotten: let go of once no route is left', 'a | b', 'a', true, 'a |'],
  ['forgotten and learned again', 'a | b', 'a b', true, 'a b |'],
  ['one comes while another goes', 'a |', 'b', true, '| a b'],
  ['and then both at once', '| a b', 'b', true, 'b |'],
  ['becoming eager holds everything at once', 'a | b', 'eager', false, 'a | */*'],
  ['becoming eager waits', 'a | */*', 'eager', false, 'wait'],
  ['becoming eager ends with no Sidecar', 'a | */*', 'eager', true, 'delete'],
  ['lazy again on the way to eager', 'a | */*', 'a', true, 'a |'],
];

for (const [what, published, target, arrived, step] of STEPS) {
  test(`${what}: ${published} → ${step}`, () => {
    const wanted: Target = target === 'eager' ? { kind: 'Eager' } : { kind: 'Lazy', wanted: scope(target).routed };
    const now = published === '-' ? undefined : scope(published);
    assert.equal(print(nextStep(now, wanted, arrived)), step);
  });
}

test('sets are the same by their members', () => {
  const same = (a: string, b: string): boolean => sameKeys(scope(a).routed, scope(b).routed);
  assert.deepEqual(
    [same('a b', 'b a'), same('a', 'a b'), same('a c', 'a b'), same('', '')],
    [true, false, false, true],
  );
});

const anyTarget: fc.Arbitrary<Target> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Target>({ kind: 'Eager' }) },
  {
    weight: 4,
    arbitrary: fc.subarray([...SERVICES]).map((wanted): Target => ({ kind: 'Lazy', wanted: new Set(wanted) })),
  },
);

type Event =
  | { readonly do: 'want'; readonly target: Target }
  /** The controller takes a step, if there is one. */
  | { readonly do: 'step' }
  /** A sidecar gets its oldest outstanding writes, as one push. */
  | { readonly do: 'push'; readonly sidecar: number; readonly writes: number }
  /** The controller is told truly whether all sidecars have what was written. */
  | { readonly do: 'tell' }
  /** The controller forgets all but the Sidecar. */
  | { readonly do: 'restart' }
  /** A pod is replaced: its sidecar begins with what the API server has. */
  | { readonly do: 'replace'; readonly sidecar: number };

const sidecar = fc.nat({ max: 1 });
const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('want' as const), target: anyTarget }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('step' as const, 'tell' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('push' as const), sidecar, writes: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('replace' as const), sidecar }) },
);

/** A controller that does what {@link nextStep} says, an API server, and two sidecars that are told late. */
class Mesh {
  target: Target = { kind: 'Eager' };
  writes = 0;
  #published: SidecarScope | undefined;
  #hasArrived = true;
  #sidecars = [new ModelledSidecar(undefined), new ModelledSidecar(undefined)];
  #outstanding: (SidecarScope | undefined)[][] = [[], []];

  apply(event: Event): void {
    if (event.do === 'want') this.target = event.target;
    else if (event.do === 'step') this.step();
    else if (event.do === 'push') this.#push(event.sidecar, event.writes);
    else if (event.do === 'tell') this.#hasArrived = this.#outstanding.every((writes) => writes.length === 0);
    else if (event.do === 'restart') this.#hasArrived = false;
    else this.#replace(event.sidecar);
  }

  step(): Step {
    const step = nextStep(this.#published, this.target, this.#hasArrived);
    if (step.kind === 'Rest') return step;
    this.writes += 1;
    this.#published = step.kind === 'Write' ? step.scope : undefined;
    this.#hasArrived = false;
    for (const writes of this.#outstanding) writes.push(this.#published);
    return step;
  }

  #push(index: number, count: number): void {
    const writes = this.#outstanding[index]?.splice(0, count) ?? [];
    if (writes.length > 0) this.#sidecars[index]?.push(writes.at(-1));
  }

  #replace(index: number): void {
    this.#sidecars[index] = new ModelledSidecar(this.#published);
    this.#outstanding[index] = [];
  }

  /** Everything reaches everybody, again and again, until nothing is left to do. @returns writes that took */
  settle(): number {
    const before = this.writes;
    for (let rounds = 0; rounds < 10; rounds += 1) {
      for (const index of [0, 1]) this.#push(index, Number.POSITIVE_INFINITY);
      this.#hasArrived = true;
      const step = this.step();
      if (step.kind !== 'Rest') continue;
      assert.equal(step.waiting, false);
      return this.writes - before;
    }
    assert.fail('it never comes to rest');
  }

  assertReached(): void {
    const wanted = this.target.kind === 'Lazy' ? [...this.target.wanted].sort() : [...SERVICES];
    for (const { routes, clusters } of this.#sidecars) assert.deepEqual([routes, clusters], [wanted, wanted]);
  }
}

describe('whatever is wanted, however late sidecars are told, however often the controller is started anew', () => {
  const runs = { numRuns: 3_000 };

  it('no route leads to a cluster that comes or goes with it', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 60, size: 'max' }), (events) => {
        const mesh = new Mesh();
        for (const event of events) mesh.apply(event);
      }),
      runs,
    );
  });

  it('sidecars get exactly what is wanted in at most four writes, and then nothing is written', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40, size: 'max' }), (events) => {
        const mesh = new Mesh();
        for (const event of events) mesh.apply(event);
        assert.ok(mesh.settle() <= 4);
        mesh.assertReached();
        assert.equal(mesh.settle(), 0);
      }),
      runs,
    );
  });
});
