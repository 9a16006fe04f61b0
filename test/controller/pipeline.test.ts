import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Dependency, MeshObject, NodeIdentity } from '../../controller/core/model.ts';
import { CLUSTER, LISTENER } from '../../controller/core/model.ts';
import type { DirtyClients, Problem, Store } from '../../controller/core/ports.ts';
import { SnapshotBuilder } from '../../controller/core/snapshot/snapshot.ts';
import { Pipeline } from '../../controller/pipeline.ts';
import { entry, pod, service } from '../support/mesh-objects.ts';

const cart = service('cart', { 80: 'HTTP', 9000: 'TCP' }, { clusterIP: '10.96.0.1' });
const pay = service('pay', { 80: 'HTTP' }, { namespace: 'bank', clusterIP: '10.96.0.2' });
const MESH: readonly MeshObject[] = [cart, pay, pod('front-0', '10.0.0.1'), pod('front-1', '10.0.0.2')];
const FRONT = 'shop/Deployment/front';
const CART_CLUSTER = 'outbound|80||cart.shop.svc.cluster.local';

function sidecar(name: string, address: string): NodeIdentity {
  const domain = 'shop.svc.cluster.local';
  return {
    id: `sidecar~${address}~${name}.shop~${domain}`,
    kind: 'sidecar',
    address,
    pod: name,
    namespace: 'shop',
    domain,
  };
}

const front0 = sidecar('front-0', '10.0.0.1');
const front1 = sidecar('front-1', '10.0.0.2');
const NOTHING_HELD = { clusters: new Map<string, string>(), listeners: new Map<string, string>() };

/** A store whose saves finish when the test says so: what is published before is visible. */
class HeldStore implements Store {
  readonly rows: Dependency[];
  readonly createdAt: number;
  release: (() => void)[] = [];
  isHolding = false;

  constructor(rows: Dependency[] = [], createdAt = 0) {
    this.rows = rows;
    this.createdAt = createdAt;
  }

  load() {
    return Promise.resolve({ dependencies: this.rows, createdAt: this.createdAt });
  }

  save(dependencies: readonly Dependency[]) {
    this.rows.push(...dependencies);
    if (!this.isHolding) return Promise.resolve();
    return new Promise<void>((resolve) => {
      this.release.push(resolve);
    });
  }

  close() {
    return Promise.resolve();
  }
}

class Mesh {
  now = 100_000;
  readonly problems: Problem[] = [];
  readonly dirty: DirtyClients[] = [];
  readonly pipeline: Pipeline;
  readonly store: HeldStore;
  #wake: () => void = () => undefined;

  constructor(store = new HeldStore()) {
    this.store = store;
    this.pipeline = new Pipeline({
      store,
      snapshots: new SnapshotBuilder({
        encode: (_type, message) => Buffer.from(JSON.stringify(message)),
        hash: (bytes) => String(bytes.length),
        egress: [{ address: '10.0.9.9', port: 15080 }],
      }),
      defaultMode: 'Enforce',
      now: () => this.now,
      onProblem: (problem) => this.problems.push(problem),
    });
    this.pipeline.onDirty((dirty) => {
      this.dirty.push(dirty);
      this.#wake();
    });
  }

  nextDirty(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  tell(...objects: readonly MeshObject[]): void {
    this.pipeline.events(objects.map((object) => ({ type: 'Applied', object, at: this.now })));
  }

  async start(objects: readonly MeshObject[] = MESH): Promise<this> {
    const dirty = this.nextDirty();
    await this.pipeline.start();
    this.tell(...objects);
    this.pipeline.synced(this.now);
    await dirty;
    this.dirty.length = 0;
    return this;
  }

  clusters(node = front0): string[] | undefined {
    return this.pipeline.snapshot(node) && [...(this.pipeline.snapshot(node)?.[CLUSTER].keys() ?? [])];
  }

  /** front calls cart over HTTP. */
  call(options: Parameters<typeof entry>[2] = {}, source = '10.0.0.1'): void {
    this.pipeline.accessLogs(
      [entry(source, '10.96.0.1:80', { protocol: 'HTTP1', host: 'cart', startTime: this.now, ...options })],
      this.now,
    );
  }

  states(): string[] {
    return this.pipeline.reports.edges({}).map(({ to, state }) => `${to} ${state}`);
  }
}

const CART_KEY = 'shop/cart.shop.svc.cluster.local';

describe('nothing is said to a client', () => {
  it('before the graph is loaded', async () => {
    const mesh = new Mesh();
    mesh.tell(...MESH);
    mesh.pipeline.synced(0);
    assert.equal(mesh.clusters(), undefined);
    await mesh.pipeline.start();
    assert.deepEqual(mesh.clusters(), []);
    await mesh.pipeline.stop();
  });

  it('before the source is synced', async () => {
    const mesh = new Mesh();
    await mesh.pipeline.start();
    mesh.tell(...MESH);
    assert.equal(mesh.clusters(), undefined);
    await mesh.pipeline.stop();
  });

  it('before its pod is told', async () => {
    const mesh = await new Mesh().start([cart]);
    assert.equal(mesh.clusters(), undefined);
    const dirty = mesh.nextDirty();
    mesh.tell(pod('front-0', '10.0.0.1'));
    await dirty;
    assert.deepEqual([...(mesh.dirty[0]?.workloads ?? [])], [FRONT]);
    assert.deepEqual(mesh.clusters(), []);
    await mesh.pipeline.stop();
  });
});

describe('a new edge', () => {
  it('is durable before it is published', async () => {
    const mesh = await new Mesh().start();
    mesh.store.isHolding = true;
    mesh.call();
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    assert.equal(mesh.store.release.length, 1);
    assert.deepEqual(mesh.clusters(), []);
    assert.deepEqual(mesh.states(), [`${CART_KEY} observed`]);
    const dirty = mesh.nextDirty();
    mesh.store.isHolding = false;
    mesh.store.release[0]?.();
    await dirty;
    assert.deepEqual(mesh.clusters(), [CART_CLUSTER]);
    assert.deepEqual(mesh.states(), [`${CART_KEY} warming`]);
    await mesh.pipeline.stop();
  });

  it('is active when every connected sidecar of the workload holds the cluster', async () => {
    const mesh = await new Mesh().start();
    mesh.pipeline.clientConnected(front0, 1, NOTHING_HELD, mesh.now);
    mesh.pipeline.clientConnected(front1, 2, NOTHING_HELD, mesh.now);
    const dirty = mesh.nextDirty();
    mesh.call();
    await dirty;
    mesh.pipeline.clientWarmed(front0, 1, new Set([CART_CLUSTER]), mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} warming`]);
    mesh.pipeline.clientWarmed(front1, 2, new Set([CART_CLUSTER]), mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`]);
    await mesh.pipeline.stop();
  });

  it('is active when the last sidecar that lacked it leaves', async () => {
    const mesh = await new Mesh().start();
    mesh.pipeline.clientConnected(front0, 1, NOTHING_HELD, mesh.now);
    mesh.pipeline.clientConnected(front1, 2, NOTHING_HELD, mesh.now);
    const dirty = mesh.nextDirty();
    mesh.call();
    await dirty;
    mesh.pipeline.clientWarmed(front0, 1, new Set([CART_CLUSTER]), mesh.now);
    mesh.pipeline.clientDisconnected(front1, 2, mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`]);
    await mesh.pipeline.stop();
  });

  it('seen twice is one edge and is published once', async () => {
    const mesh = await new Mesh().start();
    const dirty = mesh.nextDirty();
    mesh.call();
    mesh.call({ startTime: mesh.now + 1 });
    await dirty;
    mesh.call({ phase: 'Periodic' });
    await mesh.pipeline.stop();
    assert.equal(mesh.dirty.length, 1);
    assert.equal(mesh.pipeline.reports.edges({})[0]?.connections, 3);
    assert.equal(mesh.store.rows.at(-1)?.counters.connections, 3, 'counters are saved on stop');
  });

  it('needs a successful dial', async () => {
    const mesh = await new Mesh().start();
    mesh.call({ answered: false });
    assert.deepEqual(mesh.states(), []);
    assert.equal(mesh.pipeline.counts.entries.unanswered, 1);
    await mesh.pipeline.stop();
  });
});

describe('an entry of an unknown pod', () => {
  it('waits for the pod', async () => {
    const mesh = await new Mesh().start([cart]);
    mesh.call();
    assert.deepEqual(mesh.states(), []);
    mesh.now += 29_000;
    const dirty = mesh.nextDirty();
    mesh.tell(pod('front-0', '10.0.0.1', { startedAt: 99_000 }));
    await dirty;
    assert.deepEqual(
      mesh.states().map((state) => state.split(' ')[0]),
      [CART_KEY],
    );
    await mesh.pipeline.stop();
  });

  it('is counted, named and dropped after 30 s', async () => {
    const mesh = await new Mesh().start([cart]);
    mesh.call();
    mesh.now += 30_000;
    mesh.tell(pod('other-0', '10.0.0.8'));
    assert.equal(mesh.pipeline.counts.entries.dropped, 1);
    assert.match(mesh.problems[0]?.subject ?? '', /10\.0\.0\.1/);
    mesh.tell(pod('front-0', '10.0.0.1', { startedAt: 99_000 }));
    assert.deepEqual(mesh.states(), []);
    await mesh.pipeline.stop();
  });
});

describe('after a restart', () => {
  const row = (state: Dependency['state']): Dependency => ({
    source: FRONT,
    destination: { kind: 'Service', service: CART_KEY, port: 80 },
    protocol: 'HTTP1',
    origin: 'EgressLog',
    state,
    firstSeen: 1,
    lastSeen: 1,
    counters: { connections: 1, requests: 1, bytesSent: 1, bytesReceived: 1, errors: 0 },
  });

  for (const state of ['observed', 'warming', 'active'] as const) {
    it(`publishes an edge that was ${state}`, async () => {
      const mesh = await new Mesh(new HeldStore([row(state)])).start();
      assert.deepEqual(mesh.clusters(), [CART_CLUSTER]);
      await mesh.pipeline.stop();
    });
  }

  it('keeps an edge to a service that is gone, without a cluster', async () => {
    const mesh = await new Mesh(new HeldStore([row('active')])).start([pay, pod('front-0', '10.0.0.1')]);
    assert.deepEqual(mesh.clusters(), []);
    assert.deepEqual(mesh.pipeline.reports.edges({})[0]?.flags, ['missing']);
    await mesh.pipeline.stop();
  });
});

describe('what a reconnecting sidecar holds', () => {
  const held = {
    clusters: new Map([
      [CART_CLUSTER, 'abc'],
      ['outbound|9000||cart.shop.svc.cluster.local', 'relayed-abc'],
      ['lazyscope-egress', 'abc'],
    ]),
    listeners: new Map([
      ['0.0.0.0_8123', 'abc'],
      ['10.96.0.1_9000', 'abc'],
    ]),
  };

  it('seeds a young store, learned clusters only', async () => {
    const mesh = await new Mesh(new HeldStore([], 99_000)).start();
    mesh.pipeline.clientConnected(front0, 1, held, mesh.now);
    assert.deepEqual(mesh.clusters(), [CART_CLUSTER]);
    assert.deepEqual(
      mesh.pipeline.reports.edges({}).map(({ origin, state }) => [origin, state]),
      [['Seed', 'active']],
    );
    await mesh.pipeline.stop();
    assert.equal(mesh.store.rows.length, 1);
  });

  it('seeds also when it connected before everything was loaded', async () => {
    const mesh = new Mesh(new HeldStore([], 99_000));
    mesh.pipeline.clientConnected(front0, 1, held, mesh.now);
    await mesh.start();
    assert.deepEqual(mesh.clusters(), [CART_CLUSTER]);
    await mesh.pipeline.stop();
  });

  it('does not seed an old store', async () => {
    const mesh = new Mesh(new HeldStore([], 0));
    mesh.now = 2 * 24 * 3_600_000;
    await mesh.start();
    mesh.pipeline.clientConnected(front0, 1, held, mesh.now);
    assert.deepEqual(mesh.clusters(), []);
    await mesh.pipeline.stop();
  });

  it('does not seed a workload that gets everything', async () => {
    const mesh = await new Mesh(new HeldStore([], 99_000)).start([cart, pod('front-0', '10.0.0.1', { mode: 'Off' })]);
    mesh.pipeline.clientConnected(front0, 1, held, mesh.now);
    assert.deepEqual(mesh.pipeline.reports.edges({}), []);
    await mesh.pipeline.stop();
  });

  it('keeps its HTTP listeners, whatever the age of the store', async () => {
    const mesh = new Mesh(new HeldStore([], 0));
    mesh.now = 2 * 24 * 3_600_000;
    await mesh.start();
    mesh.pipeline.clientConnected(front0, 1, held, mesh.now);
    assert.ok(mesh.pipeline.snapshot(front0)?.[LISTENER].has('0.0.0.0_8123'));
    await mesh.pipeline.stop();
  });
});

describe('whom a change makes dirty', () => {
  async function learned(): Promise<Mesh> {
    const mesh = await new Mesh().start();
    const dirty = mesh.nextDirty();
    mesh.call();
    await dirty;
    mesh.dirty.length = 0;
    return mesh;
  }

  it('is the users of the service and the egresses', async () => {
    const mesh = await learned();
    const dirty = mesh.nextDirty();
    mesh.tell(service('cart', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' }));
    await dirty;
    assert.deepEqual(
      [mesh.dirty[0]?.all, mesh.dirty[0]?.egress, [...(mesh.dirty[0]?.workloads ?? [])]],
      [false, true, [FRONT]],
    );
    await mesh.pipeline.stop();
  });

  it('is nobody but the egresses for a service that nobody uses', async () => {
    const mesh = await learned();
    const dirty = mesh.nextDirty();
    mesh.tell(service('unrelated', { 80: 'HTTP' }, { clusterIP: '10.96.3.1' }));
    await dirty;
    assert.deepEqual([mesh.dirty[0]?.all, [...(mesh.dirty[0]?.workloads ?? [])]], [false, []]);
    await mesh.pipeline.stop();
  });

  it('is also every connected workload that gets everything', async () => {
    const mesh = await new Mesh().start([...MESH, pod('eager-0', '10.0.0.5', { mode: 'Off' })]);
    mesh.pipeline.clientConnected(sidecar('eager-0', '10.0.0.5'), 7, NOTHING_HELD, mesh.now);
    const dirty = mesh.nextDirty();
    mesh.tell(service('unrelated', { 80: 'HTTP' }, { clusterIP: '10.96.3.1' }));
    await dirty;
    assert.deepEqual([...(mesh.dirty[0]?.workloads ?? [])], ['shop/Deployment/eager']);
    assert.equal(mesh.clusters(sidecar('eager-0', '10.0.0.5'))?.length, 4);
    await mesh.pipeline.stop();
  });
});

it('reports workloads with their proxies, mode and clusters', async () => {
  const mesh = await new Mesh().start();
  mesh.pipeline.reportClients(() => [
    { node: front0, stream: 1, connectedAt: 5_000, synced: true, clusters: 2, lastAckAt: 6_000 },
  ]);
  const [report] = mesh.pipeline.reports.workloads({ namespace: 'shop' });
  assert.equal(report?.workload, FRONT);
  assert.deepEqual(report?.clusters, { kept: 0, total: 3 });
  assert.deepEqual(
    report?.proxies.map(({ pod: name, sync }) => [name, sync]),
    [['front-0', 'Synced']],
  );
  assert.equal(mesh.pipeline.reports.workload('shop/Deployment/nobody'), undefined);
  assert.equal(mesh.pipeline.reports.mesh().proxies, 1);
  await mesh.pipeline.stop();
});
