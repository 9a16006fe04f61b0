import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dependencyKey } from '../../controller/core/graph/dependency.ts';
import type { Dependency } from '../../controller/core/model.ts';
import type { Problem, Store } from '../../controller/core/ports.ts';
import { Persistence } from '../../controller/persistence.ts';

function dependency(port: number): Dependency {
  return {
    source: 'shop/Deployment/front',
    destination: { kind: 'Service', service: 'shop/cart.shop.svc.cluster.local', port },
    protocol: 'TCP',
    origin: 'EgressLog',
    state: 'observed',
    firstSeen: 1,
    lastSeen: 1,
    counters: { connections: 1, requests: 0, bytesSent: 0, bytesReceived: 0, errors: 0 },
  };
}

/** A store that fails on demand: no real one fails at a chosen moment. */
class FaultyStore implements Store {
  readonly saved: (readonly Dependency[])[] = [];
  failure: Error | undefined;

  load() {
    return Promise.resolve({ dependencies: [], createdAt: 0 });
  }

  tries = 0;

  save(dependencies: readonly Dependency[]) {
    this.tries += 1;
    if (this.failure) return Promise.reject(this.failure);
    this.saved.push(dependencies);
    return Promise.resolve();
  }

  close() {
    return Promise.resolve();
  }
}

function setUp(ports: readonly number[]) {
  const store = new FaultyStore();
  const graph = new Map(ports.map(dependency).map((one) => [dependencyKey(one), one]));
  const problems: Problem[] = [];
  const settled: string[][] = [];
  let notify = (): void => undefined;
  const persistence = new Persistence({
    store,
    read: (key) => graph.get(key),
    keys: () => graph.keys(),
    settled: (keys) => {
      settled.push([...keys]);
      notify();
    },
    problem: (problem) => problems.push(problem),
  });
  const nextSettled = (): Promise<void> =>
    new Promise((resolve) => {
      notify = resolve;
    });
  return { store, persistence, problems, settled, nextSettled, keys: [...graph.keys()] };
}

describe('Persistence', () => {
  it('saves all news of one turn in one transaction, and settles them afterwards', async () => {
    const { store, persistence, settled, nextSettled, keys } = setUp([1, 2, 3]);
    const done = nextSettled();
    for (const key of keys) persistence.add(key);
    assert.deepEqual(settled, [], 'nothing is settled before it is saved');
    await done;
    assert.deepEqual(
      store.saved.map((batch) => batch.length),
      [3],
    );
    assert.deepEqual(settled, [keys]);
  });

  it('saves counters with the next news', async () => {
    const { store, persistence, nextSettled, keys } = setUp([1, 2]);
    const done = nextSettled();
    persistence.touch(keys[0] ?? '');
    persistence.add(keys[1] ?? '');
    await done;
    assert.deepEqual(
      store.saved.map((batch) => batch.length),
      [2],
    );
  });

  it('settles news though the store fails, says so once, and saves everything when it is back', async () => {
    const { store, persistence, problems, settled, nextSettled, keys } = setUp([1, 2, 3]);
    store.failure = new Error('disk is full');
    const first = nextSettled();
    persistence.add(keys[0] ?? '');
    await first;
    const second = nextSettled();
    persistence.add(keys[1] ?? '');
    await second;
    assert.deepEqual(settled, [[keys[0]], [keys[1]]]);
    assert.deepEqual(problems, [{ subject: 'store', reason: 'disk is full' }]);
    assert.equal(persistence.failure, 'disk is full');
    assert.equal(store.tries, 1, 'a store that is down is not tried for each piece of news: a locked one blocks');
    store.failure = undefined;
    await persistence.flush();
    assert.equal(persistence.failure, undefined);
    assert.deepEqual(
      store.saved.map((batch) => batch.length),
      [3],
      'also what it may have had before',
    );
    await persistence.close();
  });

  it('has nothing to save when nothing changed', async () => {
    const { store, persistence } = setUp([1]);
    await persistence.close();
    assert.deepEqual(store.saved, []);
  });
});
