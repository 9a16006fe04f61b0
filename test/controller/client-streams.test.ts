/** The pipeline and the delta protocol together: what streams of clients are told, and what they tell. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CLUSTER_LOAD_ASSIGNMENT, type Snapshot } from '../../controller/core/model.ts';
import { MemoryStream } from '../support/ads/memory-stream.ts';
import { slice } from '../support/mesh-objects.ts';
import { CART_CLUSTER, CART_KEY, cart, front0, MESH, Mesh, NOTHING_HELD } from './pipeline-mesh.ts';

/** A mesh in which front has learned cart, with these streams of front-0. */
async function learned(...streams: readonly number[]): Promise<Mesh> {
  const mesh = await new Mesh().start([...MESH, slice(cart, ['10.0.1.1'])]);
  for (const stream of streams) mesh.pipeline.clientConnected(front0, stream, NOTHING_HELD, mesh.now);
  const dirty = mesh.nextDirty();
  mesh.call();
  await dirty;
  return mesh;
}

function snapshotOf(mesh: Mesh): Snapshot {
  const snapshot = mesh.pipeline.snapshot(front0);
  assert.ok(snapshot);
  return snapshot;
}

describe('two streams with one node id, as during a hot restart', () => {
  it('should hold the same', async () => {
    const mesh = await learned(1, 2);
    assert.equal(mesh.pipeline.snapshot({ ...front0 }), mesh.pipeline.snapshot(front0));
    await mesh.pipeline.stop();
  });

  it('confirm a dependency together: it is active when both hold its cluster', async () => {
    const mesh = await learned(1, 2);
    mesh.pipeline.clientWarmed(front0, 1, new Set([CART_CLUSTER]), mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} warming`]);
    mesh.pipeline.clientWarmed(front0, 2, new Set([CART_CLUSTER]), mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`]);
    await mesh.pipeline.stop();
  });

  it('do without the one that ends', async () => {
    const mesh = await learned(1, 2);
    mesh.pipeline.clientWarmed(front0, 2, new Set([CART_CLUSTER]), mesh.now);
    mesh.pipeline.clientDisconnected(front0, 1, mesh.now);
    assert.deepEqual(mesh.states(), [`${CART_KEY} active`]);
    await mesh.pipeline.stop();
  });
});

describe('a service that loses its last endpoint', () => {
  it('is an assignment without endpoints, never a removal, which would leave Envoy the hosts that it had', async () => {
    const mesh = await learned(1);
    const stream = new MemoryStream(snapshotOf(mesh));
    stream.request('CDS');
    stream.request('EDS', { subscribe: [CART_CLUSTER] });
    stream.settle();
    const full = stream.client.subscriptions[CLUSTER_LOAD_ASSIGNMENT].held.get(CART_CLUSTER)?.version;
    for (const addresses of [[], undefined]) {
      if (addresses) mesh.tell(slice(cart, addresses));
      else {
        const { kind, namespace, name } = slice(cart, []);
        mesh.pipeline.events([{ type: 'Deleted', ref: { kind, namespace, name }, at: mesh.now }]);
      }
      stream.publish(snapshotOf(mesh));
      for (const { resources, removed } of stream.responses()) {
        assert.deepEqual(removed, []);
        assert.deepEqual(
          resources.map(({ name }) => name),
          [CART_CLUSTER],
        );
        assert.notEqual(resources[0]?.version, full);
        assert.doesNotMatch(new TextDecoder().decode(resources[0]?.bytes), /10\.0\.1\.1/);
      }
      stream.ack('EDS');
      assert.ok(snapshotOf(mesh)[CLUSTER_LOAD_ASSIGNMENT].has(CART_CLUSTER));
      stream.expectSilence();
    }
    const empty = stream.client.subscriptions[CLUSTER_LOAD_ASSIGNMENT].held.get(CART_CLUSTER)?.version;
    assert.notEqual(empty, full);
    await mesh.pipeline.stop();
  });
});
