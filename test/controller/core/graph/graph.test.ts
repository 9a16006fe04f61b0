import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { flagsOf, type Observation } from '../../../../controller/core/graph/dependency.ts';
import { DependencyGraph } from '../../../../controller/core/graph/graph.ts';
import { scopeOf } from '../../../../controller/core/graph/scope.ts';
import type { Dependency, RelayReason } from '../../../../controller/core/model.ts';
import { entry } from '../../../support/mesh-objects.ts';

const WORKLOAD = 'shop/Deployment/front';
const CART = 'shop/cart.shop.svc.cluster.local';

interface Sight {
  readonly port?: number;
  readonly at?: number;
  readonly receivedAt?: number;
  readonly relayReason?: RelayReason;
}

function seen(service: string, options: Sight = {}): Observation {
  return {
    source: WORKLOAD,
    destination: { kind: 'Service', service, port: options.port ?? 80 },
    ...(options.relayReason === undefined ? {} : { relayReason: options.relayReason }),
    entry: entry('10.0.0.1', '10.96.0.1:80', { startTime: options.at ?? 1_000, protocol: 'HTTP1' }),
    receivedAt: options.receivedAt ?? options.at ?? 1_000,
  };
}

function dependencies(graph: DependencyGraph): Dependency[] {
  return [...graph.of(WORKLOAD)];
}

describe('a dependency', () => {
  it('is not in the scope before it is durable', () => {
    const graph = new DependencyGraph();
    const { result, key } = graph.observe(seen(CART));
    assert.equal(result, 'News');
    assert.deepEqual(graph.scope(WORKLOAD).warm, []);
    assert.deepEqual(graph.promote([key], 2_000), new Set([WORKLOAD]));
    assert.deepEqual(graph.scope(WORKLOAD).warm, [{ service: CART, port: 80 }]);
  });

  it('becomes active when all sidecars hold its cluster, once', () => {
    const graph = new DependencyGraph();
    const { key } = graph.observe(seen(CART));
    graph.promote([key], 2_000);
    assert.deepEqual(
      graph.confirm(WORKLOAD, () => false, 3_000),
      [],
    );
    assert.deepEqual(
      graph.confirm(WORKLOAD, () => true, 4_000),
      [key],
    );
    assert.deepEqual(
      graph.confirm(WORKLOAD, () => true, 5_000),
      [],
    );
    assert.equal(graph.get(key)?.confirmedAt, 4_000);
    assert.deepEqual(graph.scope(WORKLOAD).routed, [{ service: CART, port: 80 }]);
  });

  it('that is only relayed never enters a scope', () => {
    const graph = new DependencyGraph();
    const { key } = graph.observe(seen(CART, { relayReason: 'HostMismatch' }));
    assert.deepEqual(graph.promote([key], 2_000), new Set());
    assert.deepEqual(graph.scope(WORKLOAD), { workload: WORKLOAD, kind: 'Lazy', warm: [], routed: [] });
  });

  it('that was relayed is news once it is used in a promotable way, and stays so', () => {
    const graph = new DependencyGraph();
    graph.observe(seen(CART, { relayReason: 'HostMismatch' }));
    assert.equal(graph.observe(seen(CART)).result, 'News');
    assert.equal(graph.observe(seen(CART, { relayReason: 'HostMismatch' })).result, 'Counted');
    assert.equal(dependencies(graph)[0]?.state, 'observed');
    assert.equal(dependencies(graph)[0]?.relayReason, undefined);
  });

  it('is flagged partlyRelayed while connections later than 30 s after confirmation cross the egress', () => {
    const graph = new DependencyGraph();
    const { key } = graph.observe(seen(CART));
    graph.promote([key], 2_000);
    graph.confirm(WORKLOAD, () => true, 3_000);
    const flags = (now: number): string[] => flagsOf(graph.get(key) as Dependency, now, true);
    graph.observe(seen(CART, { at: 33_000 }));
    assert.deepEqual(flags(33_000), []);
    graph.observe(seen(CART, { at: 33_001 }));
    assert.deepEqual(flags(40_000), ['partlyRelayed']);
    assert.deepEqual(flags(33_001 + 600_000), []);
    assert.equal(graph.get(key)?.state, 'active');
  });

  it('is flagged degraded when a connected sidecar has not confirmed it for 5 s', () => {
    const graph = new DependencyGraph();
    const { key } = graph.observe(seen(CART));
    graph.promote([key], 2_000);
    const dependency = graph.get(key) as Dependency;
    assert.deepEqual(flagsOf(dependency, 7_000, true), []);
    assert.deepEqual(flagsOf(dependency, 7_001, true), ['degraded']);
    assert.deepEqual(flagsOf(dependency, 7_001, false), []);
  });
});

describe('the graph', () => {
  it('does not depend on the order of entries', () => {
    const observation = fc.record({
      service: fc.constantFrom(CART, 'bank/pay.bank.svc.cluster.local'),
      port: fc.constantFrom(80, 9000),
      at: fc.integer({ min: 0, max: 100_000 }),
    });
    const learn = (list: readonly { service: string; port: number; at: number }[]): Dependency[] => {
      const graph = new DependencyGraph();
      for (const { service, port, at } of list) graph.observe(seen(service, { port, at }));
      return dependencies(graph).sort((a, b) =>
        JSON.stringify(a.destination).localeCompare(JSON.stringify(b.destination)),
      );
    };
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 30 }), fc.infiniteStream(fc.nat()), (list, keys) => {
        const shuffled = list
          .map((item) => ({ item, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ item }) => item);
        assert.deepEqual(learn(shuffled), learn(list));
      }),
    );
  });

  it('names the users of a service', () => {
    const graph = new DependencyGraph();
    graph.observe(seen(CART));
    assert.deepEqual([...graph.usersOf(CART)], [WORKLOAD]);
    assert.deepEqual([...graph.usersOf('shop/other')], []);
  });

  it('keeps at most 1,000 addresses of one workload, and all of its services', () => {
    const graph = new DependencyGraph();
    const scan = (last: number): string => {
      const destination = { kind: 'Address', address: `10.1.${last >> 8}.${last & 255}`, port: 80 } as const;
      return graph.observe({ ...seen(CART), destination, relayReason: 'External' }).result;
    };
    for (let last = 0; last < 1_000; last += 1) assert.equal(scan(last), 'News');
    assert.equal(scan(1_000), 'TooManyAddresses');
    assert.equal(scan(0), 'Counted');
    assert.equal(graph.observe(seen(CART)).result, 'News');
  });

  it('takes no more dependencies than it has room for, but goes on counting those that it has', () => {
    const graph = new DependencyGraph(2);
    assert.equal(graph.observe(seen(CART)).result, 'News');
    assert.equal(graph.observe(seen('shop/other')).result, 'News');
    assert.equal(graph.hasRoom, false);
    assert.equal(graph.observe(seen('shop/third')).result, 'TooManyDependencies');
    assert.equal(graph.observe(seen(CART)).result, 'Counted');
    assert.equal(graph.size, 2);
  });

  it('keeps half of its room for services, whatever addresses without one are called', () => {
    const graph = new DependencyGraph(4);
    const call = (address: string): string => {
      const destination = { kind: 'Address', address, port: 443 } as const;
      return graph.observe({ ...seen(CART), destination, relayReason: 'External' }).result;
    };
    assert.deepEqual(['198.18.0.1', '198.18.0.2', '198.18.0.3'].map(call), ['News', 'News', 'TooManyAddressesInAll']);
    assert.equal(call('198.18.0.1'), 'Counted');
    assert.equal(graph.observe(seen(CART)).result, 'News');
    assert.equal(graph.observe(seen('shop/other')).result, 'News');
    assert.equal(graph.observe(seen('shop/third')).result, 'TooManyDependencies');
  });

  it('returns the same scope until a state changes', () => {
    const graph = new DependencyGraph();
    const { key } = graph.observe(seen(CART));
    graph.promote([key], 2_000);
    const scope = graph.scope(WORKLOAD);
    graph.observe(seen(CART, { at: 9_000 }));
    assert.equal(graph.scope(WORKLOAD), scope);
    graph.confirm(WORKLOAD, () => true, 9_500);
    assert.notEqual(graph.scope(WORKLOAD), scope);
  });
});

describe('scopeOf', () => {
  const dependency = (port: number, protocol: 'HTTP1' | 'HTTP2', state: 'warming' | 'active'): Dependency => ({
    source: WORKLOAD,
    destination: { kind: 'Service', service: CART, port },
    protocol,
    origin: 'EgressLog',
    state,
    firstSeen: 0,
    lastSeen: 0,
    counters: { connections: 0, requests: 0, bytesSent: 0, bytesReceived: 0, errors: 0 },
  });

  it('is sorted and has a port once, routed where any protocol has confirmed it', () => {
    const list = [
      dependency(443, 'HTTP1', 'warming'),
      dependency(80, 'HTTP2', 'warming'),
      dependency(80, 'HTTP1', 'active'),
    ];
    const scope = scopeOf(WORKLOAD, list);
    assert.deepEqual(scope.routed, [{ service: CART, port: 80 }]);
    assert.deepEqual(scope.warm, [{ service: CART, port: 443 }]);
    assert.deepEqual(scopeOf(WORKLOAD, list.toReversed()), scope);
  });
});

describe('a dependency that leaves', () => {
  /** Active, then taken out of the scope at 5,000. */
  function leaving(): DependencyGraph {
    const graph = new DependencyGraph();
    const { key } = graph.observe(seen(CART));
    graph.promote([key], 2_000);
    graph.confirm(WORKLOAD, () => true, 3_000);
    assert.deepEqual(graph.cool(WORKLOAD, CART, 5_000), [key]);
    return graph;
  }

  it('is held but not routed to while it cools, and ends when sidecars hold it no more', () => {
    const graph = leaving();
    assert.deepEqual(graph.scope(WORKLOAD), {
      workload: WORKLOAD,
      kind: 'Lazy',
      warm: [{ service: CART, port: 80 }],
      routed: [],
    });
    assert.deepEqual(
      graph.expire(WORKLOAD, () => true),
      [],
    );
    assert.equal(graph.expire(WORKLOAD, () => false).length, 1);
    assert.deepEqual(graph.scope(WORKLOAD).warm, []);
    assert.deepEqual([...graph.servicesOf(WORKLOAD)], []);
    assert.deepEqual([...graph.knownServicesOf(WORKLOAD)], [CART]);
  });

  const uses: readonly (readonly [string, Sight, 'News' | 'Counted'])[] = [
    ['a connection that began before, told at once', { at: 4_000, receivedAt: 5_500 }, 'Counted'],
    ['a connection that began afterwards', { at: 5_001 }, 'News'],
    ['a connection that began before and is still in use two rounds later', { at: 4_000, receivedAt: 125_001 }, 'News'],
    ['a use that could never be promoted', { at: 6_000, relayReason: 'HostMismatch' }, 'Counted'],
  ];
  for (const [use, sight, result] of uses) {
    it(`is ${result === 'News' ? 'learned again' : 'not learned again'} by ${use}`, () => {
      const graph = leaving();
      assert.equal(graph.observe(seen(CART, sight)).result, result);
      assert.equal(dependencies(graph)[0]?.state, result === 'News' ? 'observed' : 'cooling');
    });
  }
});
