import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeshObject } from '../../controller/core/mesh-object.ts';
import type { Dependency } from '../../controller/core/model.ts';
import { LISTENER } from '../../controller/core/model.ts';
import { pod, service } from '../support/mesh-objects.ts';
import {
  CART_CLUSTER,
  CART_KEY,
  cart,
  FRONT,
  front0,
  front1,
  HeldStore,
  MESH,
  Mesh,
  NOTHING_HELD,
  pay,
  sidecar,
} from './pipeline-mesh.ts';

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

/** A new edge of a workload with two sidecars, of which the first has confirmed it. */
async function warmedByOneOfTwo(): Promise<Mesh> {
  const mesh = await new Mesh().start();
  mesh.pipeline.clientConnected(front0, 1, NOTHING_HELD, mesh.now);
  mesh.pipeline.clientConnected(front1, 2, NOTHING_HELD, mesh.now);
  const dirty = mesh.nextDirty();
  mesh.call();
  await dirty;
  mesh.pipeline.clientWarmed(front0, 1, new Set([CART_CLUSTER]), mesh.now);
  return mesh;
}

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
    const mesh = await warmedByOneOfTwo();
    assert.deepEqual(mesh.states(), [`${CART_KEY} warming`]);
    mesh.pipeline.clientWarmed(front1, 2, new Set([CART_CLUSTER]), mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`]);
    await mesh.pipeline.stop();
  });

  it('is active when the last sidecar that lacked it leaves', async () => {
    const mesh = await warmedByOneOfTwo();
    mesh.pipeline.clientDisconnected(front1, 2, mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`]);
    await mesh.pipeline.stop();
  });

  it('is active at once where every sidecar holds the cluster for another protocol', async () => {
    const mesh = await new Mesh().start();
    mesh.pipeline.clientConnected(front0, 1, NOTHING_HELD, mesh.now);
    const first = mesh.nextDirty();
    mesh.call();
    await first;
    mesh.pipeline.clientWarmed(front0, 1, new Set([CART_CLUSTER]), mesh.now);
    const second = mesh.nextDirty();
    mesh.call({ protocol: 'HTTP2' });
    await second;
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`, `${CART_KEY} active`]);
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

describe('an entry that comes before the mesh is read completely', () => {
  it('waits for the rest, however long that takes', async () => {
    const mesh = new Mesh();
    await mesh.pipeline.start();
    mesh.tell(pod('front-0', '10.0.0.1'));
    mesh.call();
    mesh.now += 60_000;
    mesh.tell(cart);
    mesh.tell(pod('front-1', '10.0.0.2'));
    assert.deepEqual(mesh.states(), []);
    mesh.pipeline.synced(mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} observed`]);
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

  const OFF: readonly { readonly by: string; readonly told: MeshObject }[] = [
    { by: 'its pod', told: pod('front-0', '10.0.0.1', { mode: 'Off' }) },
    { by: 'its namespace', told: { kind: 'Namespace', namespace: '', name: 'shop', mode: 'Off' } },
    { by: 'its Deployment', told: { kind: 'Deployment', namespace: 'shop', name: 'front', mode: 'Off' } },
  ];
  for (const { by, told } of OFF) {
    it(`is also a connected workload that was made to get everything by ${by}`, async () => {
      const mesh = await new Mesh().start();
      mesh.pipeline.clientConnected(front0, 7, NOTHING_HELD, mesh.now);
      const eager = mesh.nextDirty();
      mesh.tell(told);
      await eager;
      mesh.dirty.length = 0;
      const dirty = mesh.nextDirty();
      mesh.tell(service('unrelated', { 80: 'HTTP' }, { clusterIP: '10.96.3.1' }));
      await dirty;
      assert.deepEqual([mesh.dirty[0]?.all, [...(mesh.dirty[0]?.workloads ?? [])]], [false, [FRONT]]);
      await mesh.pipeline.stop();
    });
  }

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

it('names a source that removes many services at once, and obeys it', async () => {
  const services = Array.from({ length: 20 }, (_, index) =>
    service(`s${index}`, { 80: 'HTTP' }, { clusterIP: `10.96.9.${index}` }),
  );
  const mesh = await new Mesh().start(services);
  const refs = services.map(({ kind, namespace, name }) => ({ kind, namespace, name }));
  mesh.pipeline.events(refs.map((ref) => ({ type: 'Deleted', ref, at: mesh.now })));
  assert.match(mesh.problems[0]?.reason ?? '', /removed 20 of 20 Services/);
  assert.equal(mesh.pipeline.reports.mesh().services, 0);
  await mesh.pipeline.stop();
});

it('does not keep any number of ports that a sidecar claims to listen on', async () => {
  const mesh = await new Mesh().start();
  const listeners = new Map(Array.from({ length: 2_000 }, (_, index) => [`0.0.0.0_${10_000 + index}`, 'abc']));
  mesh.pipeline.clientConnected(front0, 1, { clusters: new Map(), listeners }, mesh.now);
  assert.equal(mesh.pipeline.snapshot(front0)?.[LISTENER].size, 1_000);
  assert.match(mesh.problems[0]?.reason ?? '', /1000 HTTP ports/);
  assert.ok((mesh.pipeline.limitsReached['HttpPorts'] ?? 0) >= 1_000);
  await mesh.pipeline.stop();
});
