import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pod } from '../../../support/mesh-objects.ts';
import { sidecar } from '../../../support/policy-objects.ts';
import {
  cart,
  EGRESS_ADDRESS,
  FRONT_SIDECAR,
  front,
  hopRule,
  INSTALLED,
  IstioWorld,
  KILL_SWITCH,
  keyOf,
  lazyFront,
  SHOP,
} from './istio-world.ts';

/** What takes a lazy workload back to eager, and what lets it be lazy again. */
const WAYS_BACK: readonly {
  readonly what: string;
  readonly reason: string;
  readonly begin: (world: IstioWorld) => void;
  readonly end: (world: IstioWorld) => void;
  /** After which it begins. */
  readonly patience?: number;
}[] = [
  {
    what: 'the kill switch',
    reason: 'KillSwitch',
    begin: (world) => world.tell(KILL_SWITCH),
    end: (world) => world.remove(KILL_SWITCH),
  },
  {
    what: 'a NetworkPolicy that selects a pod',
    reason: 'NetworkPolicy',
    begin: (world) =>
      world.tell({
        kind: 'NetworkPolicy',
        namespace: 'shop',
        name: 'front',
        podSelector: { matchLabels: { app: 'front' }, matchExpressions: [] },
      }),
    end: (world) => world.remove({ kind: 'NetworkPolicy', namespace: 'shop', name: 'front' }),
  },
  {
    what: 'a pod that comes under a NetworkPolicy',
    reason: 'NetworkPolicy',
    begin: (world) => {
      const podSelector = { matchLabels: { app: 'late' }, matchExpressions: [] };
      world.tell({ kind: 'NetworkPolicy', namespace: 'shop', name: 'late', podSelector });
      world.pass(10_000);
      world.tell(pod('late-0', '10.0.0.9'));
    },
    end: (world) => world.remove({ kind: 'Pod', namespace: 'shop', name: 'late-0' }),
  },
  {
    what: 'a hop without mTLS',
    reason: 'PlaintextHop',
    begin: (world) => world.tell(hopRule({ tls: 'DISABLE' })),
    end: (world) => world.tell(hopRule()),
  },
  {
    what: 'no connected egress for 30 s',
    reason: 'EgressDown',
    patience: 30_000,
    begin: (world) => world.publishing.egressesConnected(new Set()),
    end: (world) => world.publishing.egressesConnected(new Set([EGRESS_ADDRESS])),
  },
  {
    what: 'the mode of its pods',
    reason: '',
    begin: (world) => world.tell({ ...front, mode: 'Off' }),
    end: (world) => world.tell(front),
  },
];

for (const { what, reason, begin, end, patience = 0 } of WAYS_BACK) {
  describe(`${what} takes a lazy workload back to eager`, () => {
    it('in two phases, and lets it be lazy again', () => {
      const world = lazyFront();
      begin(world);
      world.pass(patience);
      world.pass(1_000);
      assert.deepEqual([world.warm(), world.log], [['*/*'], [`Apply ${FRONT_SIDECAR}`]]);
      world.pass(10_000);
      assert.deepEqual(world.routed(), [keyOf('cart')]);
      world.pass(2_000);
      assert.equal(world.routed(), undefined);
      assert.deepEqual(world.log, [`Apply ${FRONT_SIDECAR}`, `Delete ${FRONT_SIDECAR}`]);
      assert.equal(world.refusal() ?? '', reason);
      world.pass(3_600_000);
      assert.equal(world.log.length, 2);
      end(world);
      world.pass(60_000);
      assert.deepEqual([world.routed(), world.warm(), world.refusal()], [[keyOf('cart')], [], undefined]);
    });
  });
}

describe('operators are told', () => {
  const told = (world: IstioWorld): string[] => world.events.map(({ type, reason }) => `${type} ${reason}`);

  it('once what refuses the mesh, and once that it ended', () => {
    const world = lazyFront();
    world.tell(KILL_SWITCH);
    world.pass(60_000);
    world.tell(cart, front);
    world.pass(60_000);
    assert.deepEqual(told(world), ['Warning KillSwitch']);
    world.remove(KILL_SWITCH);
    world.pass(60_000);
    assert.deepEqual(told(world), ['Warning KillSwitch', 'Normal LazyAgain']);
  });

  it('what refused the mesh before anybody wanted to be lazy', () => {
    const world = new IstioWorld({ objects: [...SHOP.filter((object) => object !== front), KILL_SWITCH] }).begin();
    world.pass(60_000);
    assert.deepEqual(told(world), []);
    world.tell(front);
    world.pass(60_000);
    assert.deepEqual(told(world), ['Warning KillSwitch']);
  });

  it('once what refuses a workload, and once that it ended', () => {
    const world = lazyFront();
    world.tell(sidecar('theirs'));
    world.pass(60_000);
    world.tell(cart, front);
    world.pass(60_000);
    world.remove({ kind: 'Sidecar', namespace: 'shop', name: 'theirs' });
    world.pass(60_000);
    assert.deepEqual(told(world), ['Warning UserSidecar', 'Normal LazyAgain']);
    assert.deepEqual(
      world.events.map(({ about }) => `${about.apiVersion} ${about.kind} ${about.namespace}/${about.name}`),
      ['apps/v1 Deployment shop/front', 'apps/v1 Deployment shop/front'],
    );
  });

  it('nothing where nobody wants to be lazy', () => {
    const world = new IstioWorld({ objects: [...INSTALLED, { ...front, mode: 'Observe' }] }).begin([]);
    world.pass(3_600_000);
    assert.deepEqual([world.events, world.log], [[], []]);
    world.tell(front);
    world.pass(1_000);
    assert.deepEqual(told(world), ['Warning EgressDown']);
  });
});
