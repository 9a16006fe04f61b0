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

  it('saves many counters in small steps, each in a turn of its own, and news in the next of them', async () => {
    const ports = Array.from({ length: 2_000 }, (_, port) => port);
    const { store, persistence, settled, keys } = setUp(ports);
    const [news = '', ...touched] = keys;
    for (const key of touched) persistence.touch(key);
    const turns: number[] = [];
    const takeTurn = (): void => {
      turns.push(store.saved.length);
      if (turns.length === 2) persistence.add(news);
      if (store.saved.length * 400 < keys.length) setImmediate(takeTurn);
    };
    setImmediate(takeTurn);
    await persistence.flush();

    const sizes = store.saved.map((batch) => batch.length);
    assert.deepEqual(sizes, [400, 400, 400, 400, 400]);
    assert.ok(new Set(turns).size >= sizes.length, `others had their turn after ${turns.join(', ')} steps`);
    const position = store.saved.findIndex((batch) => batch.some((one) => dependencyKey(one) === news));
    assert.ok(position <= 2, `news came in step ${position}`);
    assert.deepEqual(settled.flat(), [news]);
    assert.equal(new Set(store.saved.flat().map(dependencyKey)).size, keys.length, 'each of them once');
  });

  it('stops at the first step that fails, and saves everything again', async () => {
    const ports = Array.from({ length: 1_000 }, (_, port) => port);
    const { store, persistence, keys } = setUp(ports);
    for (const key of keys) persistence.touch(key);
    store.failure = new Error('disk is full');
    await persistence.flush();
    assert.equal(store.tries, 1);
    store.failure = undefined;
    await persistence.flush();
    assert.equal(new Set(store.saved.flat().map(dependencyKey)).size, keys.length);
    await persistence.close();
  });

  it('saves news that come while the last ones are settled', async () => {
    const { store, persistence, nextSettled, keys } = setUp([1, 2]);
    const first = nextSettled();
    persistence.add(keys[0] ?? '');
    await first;
    const second = nextSettled();
    persistence.add(keys[1] ?? '');
    await second;
    assert.deepEqual(
      store.saved.map((batch) => batch.length),
      [1, 1],
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

  it('tries no more once it is closed, also when its last try failed', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { store, persistence } = setUp([1]);
    store.failure = new Error('the disk is full');
    persistence.add(dependencyKey(dependency(1)));
    await persistence.close();
    const tries = store.tries;
    t.mock.timers.tick(60_000);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(store.tries, tries);
  });

  it('has nothing to save when nothing changed', async () => {
    const { store, persistence } = setUp([1]);
    await persistence.close();
    assert.deepEqual(store.saved, []);
  });
});
