/** What holds for every graph, whatever is observed in whatever order, lost, repeated and taken back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Observation, seeded } from '../../../../controller/core/graph/dependency.ts';
import { DependencyGraph } from '../../../../controller/core/graph/graph.ts';
import type { Dependency, Destination, Scope, WorkloadKey } from '../../../../controller/core/model.ts';
import { entry } from '../../../support/mesh-objects.ts';

const WORKLOADS: readonly WorkloadKey[] = ['shop/Deployment/front', 'bank/Deployment/pay'];
const SERVICES = ['shop/cart.shop.svc.cluster.local', 'bank/pay.bank.svc.cluster.local'];
const RUNS = { numRuns: 1_000 };

const anyService = fc.record(
  {
    kind: fc.constant('Service' as const),
    service: fc.constantFrom(...SERVICES),
    port: fc.constantFrom(80, 9000),
  },
  // Plain objects, as `assert.deepEqual` compares prototypes too.
  { noNullPrototype: true },
);
const anyAddress = fc.constant({ kind: 'Address', address: '192.0.2.1', port: 443 } as const);
const anyDestination: fc.Arbitrary<Destination> = fc.oneof(anyService, anyService, anyAddress);

const anyObservation: fc.Arbitrary<Observation> = fc
  .record({
    source: fc.constantFrom(...WORKLOADS),
    destination: anyDestination,
    isRelayed: fc.boolean(),
    protocol: fc.constantFrom('HTTP1' as const, 'TCP' as const),
    at: fc.integer({ min: 0, max: 100_000 }),
    lateness: fc.integer({ min: 0, max: 200_000 }),
  })
  .map(({ source, destination, isRelayed, protocol, at, lateness }) => ({
    source,
    destination,
    ...(destination.kind === 'Address' ? { relayReason: 'External' as const } : {}),
    ...(isRelayed ? { relayReason: 'HostMismatch' as const } : {}),
    entry: entry('10.0.0.1', '10.96.0.1:80', { startTime: at, protocol }),
    receivedAt: at + lateness,
  }));

/** Everything in the graph, in an order of its own. */
function content(graph: DependencyGraph): readonly Dependency[] {
  const text = ({ source, destination, protocol }: Dependency): string =>
    JSON.stringify([source, destination, protocol]);
  return [...graph.all()].sort((a, b) => (text(a) < text(b) ? -1 : 1));
}

function learned(observations: readonly Observation[]): DependencyGraph {
  const graph = new DependencyGraph();
  for (const observation of observations) graph.observe(observation);
  return graph;
}

/** `relayReason` says why a dependency was relayed at first sight; nothing depends on it. */
function withoutReason({ relayReason: _, ...dependency }: Dependency): object {
  return dependency;
}

test('the order of observations makes no difference', () => {
  const shuffled = fc
    .array(anyObservation, { maxLength: 30 })
    .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      assert.deepEqual(content(learned(other)).map(withoutReason), content(learned(list)).map(withoutReason));
    }),
    RUNS,
  );
});

test('an observation that is repeated adds to the counters and to nothing else', () => {
  const withoutCounters = ({ counters: _, ...dependency }: Dependency): object => dependency;
  fc.assert(
    fc.property(fc.array(anyObservation, { maxLength: 20 }), fc.nat(), (list, from) => {
      const replayed = [...list, ...list.slice(from % (list.length + 1))];
      assert.deepEqual(content(learned(replayed)).map(withoutCounters), content(learned(list)).map(withoutCounters));
    }),
    RUNS,
  );
});

/** Ports that a workload was seen to use in a promotable way, or was found to hold. */
type Model = Readonly<Record<WorkloadKey, Set<string>>>;

function portsIn({ warm, routed }: Scope): readonly string[] {
  return [...warm, ...routed].map(({ service, port }) => `${service}:${port}`);
}

/** A step; afterwards no scope has more than was observed, and none has shrunk unless that was the point. */
function command(words: string, run: (model: Model, graph: DependencyGraph) => void, mayShrink = false) {
  return {
    check: () => true,
    toString: () => words,
    run: (model: Model, graph: DependencyGraph) => {
      const before = WORKLOADS.map((workload) => portsIn(graph.scope(workload)));
      run(model, graph);
      for (const [index, workload] of WORKLOADS.entries()) {
        const after = portsIn(graph.scope(workload));
        assert.equal(new Set(after).size, after.length, 'a port twice');
        assert.deepEqual(
          after.filter((port) => !model[workload]?.has(port)),
          [],
          `${workload} grew by itself`,
        );
        if (!mayShrink)
          assert.deepEqual(
            before[index]?.filter((port) => !after.includes(port)),
            [],
            `${workload} shrank`,
          );
      }
    },
  };
}

const anyWorkload = fc.constantFrom(...WORKLOADS);
const observe = anyObservation.map((observation) =>
  command(
    `observe ${JSON.stringify(observation)}`,
    (model, graph) => {
      const { source, destination, relayReason } = observation;
      if (destination.kind === 'Service' && relayReason === undefined) {
        model[source]?.add(`${destination.service}:${destination.port}`);
      }
      // What was on its way out and is used again leaves the scope until that is durable.
      graph.observe(observation);
    },
    true,
  ),
);
const seed = fc.tuple(anyWorkload, anyService).map(([workload, destination]) =>
  command(`seed ${workload} ${destination.service}:${destination.port}`, (model, graph) => {
    model[workload]?.add(`${destination.service}:${destination.port}`);
    graph.put(seeded(workload, destination, 1));
  }),
);
const promote = fc
  .nat({ max: 100_000 })
  .map((at) => command(`promote at ${at}`, (_, graph) => void graph.promote([...graph.keys()], at)));
const confirm = fc
  .tuple(anyWorkload, fc.constantFrom(...SERVICES), fc.nat({ max: 100_000 }))
  .map(([workload, held, at]) =>
    command(
      `confirm ${workload} ${held}`,
      (_, graph) => void graph.confirm(workload, ({ service }) => service === held, at),
    ),
  );
const cool = fc
  .tuple(anyWorkload, fc.constantFrom(...SERVICES), fc.nat({ max: 100_000 }))
  .map(([workload, service, at]) =>
    command(`cool ${workload} ${service}`, (_, graph) => void graph.cool(workload, service, at)),
  );
const expire = anyWorkload.map((workload) =>
  command(`expire ${workload}`, (_, graph) => void graph.expire(workload, () => false), true),
);

test('a scope grows only by what its workload was observed to use or to hold, and shrinks only where it is told to', () => {
  fc.assert(
    fc.property(
      fc.commands([observe, observe, seed, promote, confirm, cool, expire], { maxCommands: 40, size: 'max' }),
      (all) => {
        fc.modelRun(
          () => ({
            model: Object.fromEntries(WORKLOADS.map((workload) => [workload, new Set<string>()])),
            real: new DependencyGraph(),
          }),
          all,
        );
      },
    ),
    RUNS,
  );
});
