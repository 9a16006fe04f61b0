/** Dependencies for tests: one by hand, any by fast-check. */
import fc from 'fast-check';
import type { Dependency, Destination, RelayReason } from '../../controller/core/model.ts';

/** An observed HTTP/1 dependency of the shop's frontend on its cart, with the given fields instead. */
export function dependency(fields: Partial<Dependency>): Dependency {
  return {
    source: 'shop/Deployment/frontend',
    destination: { kind: 'Service', service: 'shop/cart.shop.svc.cluster.local', port: 80 },
    protocol: 'HTTP1',
    origin: 'EgressLog',
    state: 'observed',
    firstSeen: 1,
    lastSeen: 2,
    counters: { connections: 1, requests: 2, bytesSent: 3, bytesReceived: 4, errors: 5 },
    ...fields,
  };
}

const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const count = fc.nat();
const port = fc.integer({ min: 1, max: 3 });
const relayReason = fc.constantFrom<RelayReason>('PodIP', 'NodeIP', 'External', 'HostMismatch', 'SniMismatch');

/** Plain objects, as `assert.deepEqual` compares prototypes too. */
const PLAIN = { noNullPrototype: true } as const;

const destination: fc.Arbitrary<Destination> = fc.oneof(
  fc.record(
    { kind: fc.constant('Service' as const), service: fc.constantFrom('shop/a', 'shop/b', 'shop/ü'), port },
    PLAIN,
  ),
  fc.record(
    {
      kind: fc.constant('Address' as const),
      address: fc.constantFrom('10.0.0.1', 'fd00::1'),
      port,
      host: fc.constantFrom('a.example', "o'b"),
    },
    { ...PLAIN, requiredKeys: ['kind', 'address', 'port'] },
  ),
);

const optional = fc.record(
  { relayReason, promotedAt: time, confirmedAt: time, relayedAt: time, cooledAt: time },
  { ...PLAIN, requiredKeys: [] },
);

const required = fc.record(
  {
    source: fc.constantFrom('shop/Deployment/a', 'shop/Deployment/b'),
    destination,
    protocol: fc.constantFrom('HTTP1' as const, 'HTTP2' as const, 'TLS' as const, 'TCP' as const),
    origin: fc.constantFrom('EgressLog' as const, 'Seed' as const),
    state: fc.constantFrom('observed' as const, 'warming' as const, 'active' as const, 'relayed' as const),
    firstSeen: time,
    lastSeen: time,
    counters: fc.record(
      { connections: count, requests: count, bytesSent: count, bytesReceived: count, errors: count },
      PLAIN,
    ),
  },
  PLAIN,
);

/** Few sources, destinations and protocols, so that equal keys are common. */
export const dependencies: fc.Arbitrary<Dependency> = fc
  .tuple(required, optional)
  .map(([always, sometimes]) => ({ ...always, ...sometimes }));
