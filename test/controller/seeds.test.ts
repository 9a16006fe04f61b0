import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DependencyGraph } from '../../controller/core/graph/graph.ts';
import { baseKeys } from '../../controller/core/istio/registry-view.ts';
import type { MeshObject } from '../../controller/core/mesh-object.ts';
import type { DependencyState } from '../../controller/core/model.ts';
import { Seeds } from '../../controller/seeds.ts';
import { dependency } from '../support/dependencies.ts';
import { service } from '../support/mesh-objects.ts';
import { serviceEntry, sidecar } from '../support/policy-objects.ts';
import { EGRESS, FRONT, INSTALLED, IstioWorld, keyOf, PLACEHOLDER, SHOP } from './core/istio/istio-world.ts';

const cart = service('cart', { 80: 'HTTP', 81: 'HTTP' }, { clusterIP: '10.96.0.1' });
const metadata = serviceEntry(
  'metadata.internal',
  { 80: 'TCP' },
  { namespace: 'lazyscope', addresses: ['169.254.169.254'] },
);
const queue = service('queue', { 80: 'TCP' }, { clusterIP: '10.96.0.5' });

/** Edges that are seeded where front's Sidecar says this, and the store knows so much. */
function seeded(routed: readonly string[], warm: readonly string[], graph = new DependencyGraph()): string[] {
  const managed = { workload: FRONT, routed, warm, spec: '{}' };
  const objects: readonly MeshObject[] = [
    ...INSTALLED,
    cart,
    metadata,
    queue,
    { ...sidecar('lazyscope-deployment-front'), managed },
  ];
  const { registry, settings } = new IstioWorld({ objects });
  const keys: string[] = [];
  const seeds = new Seeds({
    registry,
    graph,
    seeded: (key) => keys.push(key),
    portKept: () => assert.fail('a port is kept'),
    problem: ({ reason }) => assert.fail(reason),
  });
  seeds.sidecars(baseKeys(registry, settings), 1_000);
  return keys.map((key) => key.split(' ')[1] ?? '').sort();
}

describe('where the store has no memory', () => {
  it('every port of what a Sidecar of ours holds is a dependency, routed to or not', () => {
    assert.deepEqual(seeded([keyOf('cart')], []), [`${keyOf('cart')}:80`, `${keyOf('cart')}:81`]);
    assert.deepEqual(seeded([], [keyOf('cart')]), [`${keyOf('cart')}:80`, `${keyOf('cart')}:81`]);
  });

  it('what every lazy sidecar holds is none', () => {
    assert.deepEqual(seeded([EGRESS, PLACEHOLDER, 'lazyscope/metadata.internal', keyOf('queue')], ['*/*']), []);
  });

  it('what does not exist now is none', () => {
    assert.deepEqual(seeded([keyOf('gone'), 'routes/cart.shop.svc.cluster.local'], []), []);
  });
});

for (const state of ['active', 'cooling', 'expired', 'observed'] satisfies DependencyState[]) {
  it(`what the store knows as ${state} stays that`, () => {
    const graph = new DependencyGraph();
    graph.put(dependency({ source: FRONT, state }));
    assert.deepEqual(seeded([keyOf('cart')], [], graph), []);
    assert.deepEqual(
      [...graph.all()].map((one) => one.state),
      [state],
    );
  });
}

describe('a controller whose store is lost', () => {
  it('writes nothing: what the Sidecars say is what it wants', () => {
    const before = new IstioWorld({ objects: [...SHOP, cart, queue] }).begin();
    before.pass(30_000);
    before.learn([keyOf('cart')]);
    before.pass(60_000);
    const { registry, settings } = before;
    const after = new IstioWorld({ objects: [] });
    const graph = after.graph;
    new Seeds({
      registry,
      graph,
      seeded: () => undefined,
      portKept: () => undefined,
      problem: () => undefined,
    }).sidecars(baseKeys(registry, settings), after.now);
    for (const one of before.graph.all()) before.graph.put({ ...one, state: 'expired' });
    for (const one of graph.all()) before.graph.put(one);
    before.restart();
    before.pass(3_600_000);
    assert.deepEqual([before.log, before.routed()], [[], [keyOf('cart'), keyOf('queue')]]);
  });
});

it('what a full graph has no room for is counted and named', () => {
  const { registry } = new IstioWorld({ objects: [cart] });
  const problems: string[] = [];
  const seeds = new Seeds({
    registry,
    graph: new DependencyGraph(1),
    seeded: () => undefined,
    portKept: () => assert.fail('a port is kept'),
    problem: ({ subject, reason }) => problems.push(`${subject} ${reason}`),
  });
  const cluster = (port: number): [string, string] => [`outbound|${port}||cart.shop.svc.cluster.local`, '1'];
  seeds.clusters(FRONT, { clusters: new Map([cluster(80), cluster(81)]), listeners: new Map() }, 1_000);
  assert.deepEqual(seeds.limits, { HttpPorts: 0, SeededDependencies: 1 });
  assert.deepEqual(problems, ['graph there are 1 dependencies; what sidecars hold is not added']);
});
