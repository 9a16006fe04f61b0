/** Laws that hold for every sequence of worlds, delays, disconnects and rejections. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLUSTER_LOAD_ASSIGNMENT, type Snapshot } from '../../../../controller/core/model.ts';
import { FakeEnvoy, type Rejecting, wanted } from '../../../support/ads/fake-envoy.ts';
import { world } from '../../../support/ads/worlds.ts';

const CLUSTERS = ['a', 'b', 'c', 'd', 'e'];
const PORTS = ['80', '81'];

/** A cluster is absent, STATIC, or has endpoints; with versions, so that worlds differ in every way. */
const clusterForm = fc.constantFrom('absent', 'static', '1', '2');
const endpointVersion = fc.constantFrom('1', '2', '3');

const anyWorld: fc.Arbitrary<Snapshot> = fc
  .record({
    clusters: fc.tuple(...CLUSTERS.map(() => fc.tuple(clusterForm, endpointVersion))),
    routes: fc.tuple(...PORTS.map(() => fc.subarray(CLUSTERS))),
    ports: fc.subarray(PORTS),
    tcp: fc.subarray(CLUSTERS, { maxLength: 2 }),
  })
  .map(({ clusters, routes, ports, tcp }) => {
    const forms = CLUSTERS.map((name, index) => ({
      name,
      form: clusters[index]?.[0],
      endpoints: clusters[index]?.[1],
    }));
    const present = forms.filter(({ form }) => form !== 'absent');
    const exists = (name: string) => present.some((cluster) => cluster.name === name);
    const uses = (port: string) => (routes[PORTS.indexOf(port)] ?? []).filter(exists);
    return world({
      CDS: present.map(({ name, form }) => `${name}@${form}`).join(' '),
      EDS: present
        .filter(({ form }) => form !== 'static')
        .map(({ name, endpoints }) => `${name}@${endpoints}`)
        .join(' '),
      LDS: [
        ...ports.map((port) => `l${port}>rds:${port}`),
        ...tcp.filter(exists).map((name) => `tcp-${name}>${name}`),
      ].join(' '),
      RDS: ports.map((port) => `${port}@${uses(port).join('+') || 'none'}>${uses(port).join(',')}`).join(' '),
    });
  });

type Step =
  | { readonly do: 'publish'; readonly snapshot: Snapshot }
  | { readonly do: 'move'; readonly to: string }
  | { readonly do: 'deliver' | 'process'; readonly times: number }
  | { readonly do: 'wait'; readonly milliseconds: number }
  | { readonly do: 'reconnect' };

const times = fc.integer({ min: 1, max: 6 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('publish' as const), snapshot: anyWorld }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), to: endpointVersion }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('deliver' as const, 'process' as const), times }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('wait' as const), milliseconds: fc.constantFrom(10, 1000, 6000) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reconnect' as const) }) },
);

const OBEDIENT: Rejecting = { bad: new Set(), appliesGoodOnes: false };

/** All but the endpoints stays the same maps, as snapshots have it. */
function withEndpoints(snapshot: Snapshot, to: string): Snapshot {
  const moved = world({ EDS: [...snapshot[CLUSTER_LOAD_ASSIGNMENT].keys()].map((name) => `${name}@${to}`).join(' ') });
  return { ...snapshot, [CLUSTER_LOAD_ASSIGNMENT]: moved[CLUSTER_LOAD_ASSIGNMENT] };
}

/** Runs the steps, then lets everything arrive. */
function run(first: Snapshot, steps: readonly Step[], rejecting: Rejecting): { envoy: FakeEnvoy; last: Snapshot } {
  const envoy = new FakeEnvoy(rejecting);
  let last = first;
  let streams = 1;
  envoy.connect(first, streams, 0);
  for (const step of steps) {
    if (step.do === 'publish' || step.do === 'move') {
      last = step.do === 'publish' ? step.snapshot : withEndpoints(last, step.to);
      envoy.stream.publish(last);
    } else if (step.do === 'wait') envoy.stream.wait(step.milliseconds);
    else if (step.do === 'reconnect') {
      streams += 1;
      envoy.connect(last, streams, envoy.stream.now);
    } else for (let count = 0; count < step.times; count += 1) envoy[step.do]();
  }
  settle(envoy);
  return { envoy, last };
}

function settle(envoy: FakeEnvoy): void {
  for (let round = 0; round < 8; round += 1) {
    for (let count = 0; envoy.deliver() || envoy.process(); count += 1) assert.ok(count < 1000, 'it never settles');
    envoy.stream.wait(5000);
  }
}

const TYPES = ['CDS', 'EDS', 'LDS', 'RDS'] as const;

test('a client ends with exactly the subscribed part of the newest snapshot, and never breaks on the way', () => {
  fc.assert(
    fc.property(anyWorld, fc.array(anyStep, { maxLength: 30 }), (first, steps) => {
      const { envoy, last } = run(first, steps, OBEDIENT);
      const expected = wanted(last);
      for (const type of TYPES) assert.deepEqual(envoy.held(type), new Map(expected[type]), type);
    }),
    { numRuns: 1_000 },
  );
});

test('the same content again pushes nothing', () => {
  fc.assert(
    fc.property(anyWorld, fc.array(anyStep, { maxLength: 10 }), (first, steps) => {
      const { envoy, last } = run(first, steps, OBEDIENT);
      envoy.stream.publish({ ...last });
      assert.equal(envoy.deliver(), false);
    }),
    { numRuns: 1_000 },
  );
});

const anyRejecting: fc.Arbitrary<Rejecting> = fc.record({
  bad: fc
    .subarray(['CDS a@1', 'CDS b@2', 'CDS c@static', 'EDS d@1', 'RDS 80@none', 'RDS 81@a', 'LDS tcp-e@1', 'EDS a@2'])
    .map((bad) => new Set(bad)),
  appliesGoodOnes: fc.boolean(),
});

test('a client that rejects resources gets all others, and never breaks on the way', () => {
  fc.assert(
    fc.property(anyWorld, fc.array(anyStep, { maxLength: 30 }), anyRejecting, (first, anySteps, rejecting) => {
      // What Envoy applied of a rejected response it does not list after a reconnect: nobody can know of it then.
      const steps = anySteps.filter((step) => step.do !== 'reconnect' || !rejecting.appliesGoodOnes);
      const { envoy, last } = run(first, steps, rejecting);
      const expected = wanted(last);
      for (const type of ['CDS', 'EDS'] as const) {
        for (const [name, version] of expected[type]) {
          const isHeld = envoy.held(type).get(name) === version;
          const isOfRejectedCluster = type === 'EDS' && envoy.held('CDS').get(name) !== expected.CDS.get(name);
          assert.ok(
            isHeld || isOfRejectedCluster || rejecting.bad.has(`${type} ${name}@${version}`),
            `${type} ${name}`,
          );
        }
      }
    }),
    { numRuns: 1_000 },
  );
});
