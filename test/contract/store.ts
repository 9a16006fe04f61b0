/** What every {@link Store} must do, whatever it keeps its rows in. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { dependencyKey } from '../../controller/core/graph/dependency.ts';
import type { Dependency } from '../../controller/core/model.ts';
import type { Store } from '../../controller/core/ports.ts';
import { dependencies, dependency } from '../support/dependencies.ts';

/** Makes an empty store that is not loaded yet, and cleans up when the test ends. */
export type MakeStore = (t: TestContext) => Store;

const CREATED_AT = 1_780_000_000_000;

async function loadByKey(store: Store): Promise<Map<string, Dependency>> {
  const loaded = await store.load(CREATED_AT);
  return new Map(loaded.dependencies.map((one) => [dependencyKey(one), one]));
}

const service = { kind: 'Service', service: 'shop/cart.shop.svc.cluster.local', port: 80 } as const;
const address = { kind: 'Address', address: '2001:db8::7', port: 443 } as const;
const ROUND_TRIPS: Record<string, Partial<Dependency>> = {
  'a service, without any optional field': { destination: service },
  'a service, with every date': { destination: service, promotedAt: 11, confirmedAt: 12, relayedAt: 13, cooledAt: 14 },
  'an address without a host': { destination: address, state: 'relayed', relayReason: 'PodIP' },
  'an address with a host': { destination: { ...address, host: 'api.example.com' }, relayReason: 'External' },
  'a seed over TLS': { origin: 'Seed', protocol: 'TLS', state: 'active' },
  'fractions of milliseconds and sums over 2^53': {
    firstSeen: 1_780_000_000_000.25,
    counters: { connections: 0, requests: 1, bytesSent: 2 ** 60, bytesReceived: Number.MAX_VALUE, errors: 2 },
  },
};

function keepsWhatWasSaved(makeStore: MakeStore): void {
  for (const [name, fields] of Object.entries(ROUND_TRIPS)) {
    test(`gives back ${name}`, async (t) => {
      const store = makeStore(t);
      await store.load(CREATED_AT);
      await store.save([dependency(fields)]);
      assert.deepEqual((await store.load(CREATED_AT)).dependencies, [dependency(fields)]);
    });
  }

  test('gives what was saved last for each source, destination and protocol', async (t) => {
    const store = makeStore(t);
    const model = await loadByKey(store);
    const batches = fc.array(fc.array(dependencies, { maxLength: 8 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, async (saved) => {
        for (const batch of saved) {
          await store.save(batch);
          for (const one of batch) model.set(dependencyKey(one), one);
        }
        assert.deepEqual(await loadByKey(store), model);
      }),
      { numRuns: 1_000 },
    );
  });
}

function keepsDependenciesApart(makeStore: MakeStore): void {
  test('replaces the dependency that it has, with all its fields', async (t) => {
    const store = makeStore(t);
    await store.load(CREATED_AT);
    await store.save([dependency({ state: 'relayed', relayReason: 'PodIP', relayedAt: 5 })]);
    await store.save([dependency({ state: 'active', lastSeen: 99 })]);
    assert.deepEqual((await store.load(CREATED_AT)).dependencies, [dependency({ state: 'active', lastSeen: 99 })]);
  });

  test('takes the last of two equal keys in one batch', async (t) => {
    const store = makeStore(t);
    await store.load(CREATED_AT);
    await store.save([dependency({ lastSeen: 1 }), dependency({ lastSeen: 2 })]);
    assert.deepEqual((await store.load(CREATED_AT)).dependencies, [dependency({ lastSeen: 2 })]);
  });

  test('keeps different sources, destinations and protocols apart, in whatever order they come', async (t) => {
    const different = [
      dependency({}),
      dependency({ source: 'shop/Deployment/other' }),
      dependency({ protocol: 'TLS' }),
      dependency({ destination: { ...service, port: 81 } }),
      dependency({ destination: address }),
      dependency({ destination: { ...address, host: 'a.example' } }),
      dependency({ destination: { ...address, host: 'b.example' } }),
    ];
    for (const batch of [different, different.toReversed()]) {
      const store = makeStore(t);
      await store.load(CREATED_AT);
      await store.save(batch);
      const expected = new Map(different.map((one) => [dependencyKey(one), one]));
      assert.deepEqual(await loadByKey(store), expected);
    }
  });
}

/** Registers the suite; `name` is the implementation. */
export function storeContract(name: string, makeStore: MakeStore): void {
  describe(`${name} as a store`, () => {
    keepsWhatWasSaved(makeStore);
    keepsDependenciesApart(makeStore);

    test('is empty at first, and dated by its first load', async (t) => {
      assert.deepEqual(await makeStore(t).load(CREATED_AT), { dependencies: [], createdAt: CREATED_AT });
    });

    test('keeps its date', async (t) => {
      const store = makeStore(t);
      await store.load(CREATED_AT);
      assert.equal((await store.load(CREATED_AT + 60_000)).createdAt, CREATED_AT);
    });

    test('takes an empty batch', async (t) => {
      const store = makeStore(t);
      await store.load(CREATED_AT);
      await store.save([]);
      assert.deepEqual((await store.load(CREATED_AT)).dependencies, []);
    });

    test('closes twice without complaint', async (t) => {
      const store = makeStore(t);
      await store.load(CREATED_AT);
      await store.close();
      await store.close();
    });
  });
}
