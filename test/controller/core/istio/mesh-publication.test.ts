import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DependencyGraph } from '../../../../controller/core/graph/graph.ts';
import { sidecar, virtualService } from '../../../support/policy-objects.ts';
import {
  cart,
  EGRESS,
  EGRESS_ADDRESS,
  FRONT,
  FRONT_SIDECAR,
  front,
  INSTALLED,
  IstioWorld,
  KILL_SWITCH,
  keyOf,
  lazyFront,
  PLACEHOLDER,
  SHOP,
} from './istio-world.ts';

describe('a workload that wants to be lazy', () => {
  it('holds everything first, and only what it uses once that has arrived', () => {
    const world = new IstioWorld({ objects: SHOP }).begin();
    world.pass(1_000);
    assert.deepEqual([world.routed(), world.warm()], [[], ['*/*']]);
    world.pass(10_000);
    assert.deepEqual(world.log, [`Apply ${FRONT_SIDECAR}`]);
    world.pass(2_000);
    assert.deepEqual([world.routed(), world.warm()], [[], []]);
    assert.deepEqual(world.log, [`Apply ${FRONT_SIDECAR}`, `Apply ${FRONT_SIDECAR}`]);
  });

  it('holds what it learns before it routes there, and goes on at once when a probe tells the arrival', () => {
    const world = new IstioWorld({ objects: SHOP }).begin();
    world.pass(30_000);
    world.learn([keyOf('cart')]);
    world.pass(5_000);
    assert.deepEqual([world.routed(), world.warm()], [[], [keyOf('cart')]]);
    world.arrive();
    world.pass(0);
    assert.deepEqual([world.routed(), world.warm()], [[keyOf('cart')], []]);
  });

  it('is written nothing while nothing changes', () => {
    const world = lazyFront();
    world.pass(24 * 3_600_000);
    world.tell(cart, front);
    world.pass(24 * 3_600_000);
    assert.deepEqual(world.log, []);
    world.learn([keyOf('pay')]);
    world.pass(60_000);
    assert.equal(world.log.length, 2);
  });

  it('is written nothing by a controller that is started anew', () => {
    const world = lazyFront().restart();
    world.pass(3_600_000);
    assert.deepEqual(world.log, []);
    world.learn([keyOf('pay')]);
    world.pass(60_000);
    assert.equal(world.log.length, 2);
  });

  it('has its phase finished by a controller that is started anew, after the whole delay', () => {
    const world = lazyFront();
    world.learn([keyOf('pay')]);
    world.pass(5_000);
    assert.deepEqual(world.warm(), [keyOf('pay')]);
    world.restart();
    world.pass(11_000);
    assert.deepEqual([world.log, world.warm()], [[], [keyOf('pay')]]);
    world.pass(2_000);
    assert.deepEqual([world.routed(), world.warm()], [[keyOf('cart'), keyOf('pay')], []]);
    world.pass(3_600_000);
    assert.deepEqual(world.log, [`Apply ${FRONT_SIDECAR}`]);
  });

  it('has its phase finished as soon as a probe tells, which counts for what an earlier controller wrote too', () => {
    const world = lazyFront();
    world.learn([keyOf('pay')]);
    world.pass(5_000);
    world.restart();
    world.pass(100);
    assert.equal(world.publishing.awaitsArrival, true);
    world.arrive();
    world.pass(1_000);
    assert.deepEqual([world.log, world.warm()], [[`Apply ${FRONT_SIDECAR}`], []]);
    assert.equal(world.publishing.awaitsArrival, false);
  });

  it('waits for an egress', () => {
    const world = new IstioWorld({ objects: SHOP }).begin([]);
    world.pass(20_000);
    assert.deepEqual([world.log, world.refusal()], [[], 'EgressDown']);
    world.publishing.egressesConnected(new Set([EGRESS_ADDRESS]));
    world.pass(1_000);
    assert.deepEqual(world.log, [`Apply ${FRONT_SIDECAR}`]);
  });

  it('counts on no egress that is not an endpoint of its Service, nor on one that is not connected', () => {
    const strangers = new IstioWorld({ objects: SHOP }).begin(['10.0.9.1']);
    strangers.pass(60_000);
    assert.deepEqual(strangers.log, []);
    const world = new IstioWorld({ objects: SHOP }).begin();
    world.pass(60_000);
    assert.equal(world.log.length, 2);
  });

  it('gets back what somebody else changed in its Sidecar, and its Sidecar when somebody deleted it', () => {
    const world = lazyFront();
    world.tell({
      ...sidecar('lazyscope-deployment-front', FRONT),
      selector: { app: 'front' },
    });
    world.pass(30_000);
    assert.deepEqual(world.routed(), [keyOf('cart')]);
    world.remove({ kind: 'Sidecar', namespace: 'shop', name: 'lazyscope-deployment-front' });
    world.pass(60_000);
    assert.deepEqual([world.routed(), world.warm()], [[keyOf('cart')], []]);
  });

  it('follows the labels that its pods share', () => {
    const world = lazyFront();
    world.tell({ ...front, labels: { ...front.labels, version: '2' } });
    world.pass(1_000);
    assert.deepEqual(world.spec(FRONT_SIDECAR), {
      workloadSelector: { labels: { app: 'front', version: '2' } },
      outboundTrafficPolicy: {
        mode: 'ALLOW_ANY',
        egressProxy: { host: 'lazyscope-egress.lazyscope.svc.cluster.local', port: { number: 15080 } },
      },
      egress: [{ hosts: [EGRESS, PLACEHOLDER, keyOf('cart')] }],
    });
  });

  it('imports the VirtualServices that speak for what it uses', () => {
    const world = lazyFront();
    world.tell(virtualService('cart.shop.svc.cluster.local', { namespace: 'routes' }));
    world.pass(60_000);
    assert.deepEqual(world.routed(), ['routes/cart.shop.svc.cluster.local', keyOf('cart')]);
  });
});

describe('a workload without pods', () => {
  const deployment = { kind: 'Deployment', namespace: 'shop', name: 'front' } as const;
  const asleep = (): IstioWorld => {
    const world = lazyFront([...SHOP, deployment]);
    world.remove({ kind: 'Pod', namespace: 'shop', name: 'front-0' });
    world.pass(3_600_000);
    return world;
  };

  it('keeps its Sidecar as long as its Deployment exists, also over a restart', () => {
    const world = asleep();
    assert.deepEqual([world.log, world.routed()], [[], [keyOf('cart')]]);
    world.restart();
    world.pass(3_600_000);
    assert.deepEqual(world.log, []);
    world.tell(front);
    world.pass(3_600_000);
    assert.deepEqual(world.log, []);
  });

  it('loses its Sidecar with its Deployment, in two phases', () => {
    const world = asleep();
    world.remove(deployment);
    world.pass(60_000);
    assert.deepEqual(world.log, [`Apply ${FRONT_SIDECAR}`, `Delete ${FRONT_SIDECAR}`]);
  });

  it('loses it under the kill switch too: it would wake up lazy', () => {
    const world = asleep();
    world.tell(KILL_SWITCH);
    world.pass(60_000);
    assert.equal(world.routed(), undefined);
  });
});

describe('a write that fails', () => {
  it('is tried again after 5 s, 10 s, ..., and named', () => {
    const world = new IstioWorld({ objects: SHOP }).begin();
    const tries: number[] = [];
    world.meets = () => {
      tries.push(world.now);
      throw new Error('forbidden');
    };
    world.pass(60_000);
    assert.deepEqual(
      tries.map((at) => at - (tries[0] ?? 0)),
      [0, 5_000, 15_000, 35_000],
    );
    assert.equal(world.problems[0], `${FRONT_SIDECAR}: forbidden`);
    world.meets = () => undefined;
    world.pass(60_000);
    assert.deepEqual(world.warm(), []);
  });
});

describe('states of dependencies', () => {
  const states = ({ graph }: IstioWorld): string[] => [...graph.all()].map(({ state }) => state);

  it('are active once routed to, and expired once the sidecars hold them no more', () => {
    const world = lazyFront();
    assert.deepEqual(states(world), ['active']);
    world.graph.cool(FRONT, keyOf('cart'), world.now);
    world.publishing.graphChanged([FRONT]);
    world.pass(5_000);
    assert.deepEqual([world.routed(), world.warm(), states(world)], [[], [keyOf('cart')], ['cooling']]);
    world.pass(20_000);
    assert.deepEqual([world.warm(), states(world)], [[], ['expired']]);
  });

  it('of an eager workload stay as they are', () => {
    const world = new IstioWorld({ objects: [...INSTALLED, cart, { ...front, mode: 'Off' }] }).begin();
    world.learn([keyOf('cart')]);
    world.pass(60_000);
    assert.deepEqual([states(world), world.log], [['warming'], []]);
  });

  it('are settled by what the Sidecars say when the controller starts', () => {
    const world = lazyFront();
    const graph = new DependencyGraph();
    for (const dependency of world.graph.all()) graph.put({ ...dependency, state: 'warming' });
    for (const dependency of graph.all()) world.graph.put(dependency);
    world.restart();
    assert.deepEqual(states(world), ['active']);
  });
});
