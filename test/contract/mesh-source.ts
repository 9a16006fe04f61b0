/** What every {@link MeshSource} must do, wherever its objects come from. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MeshSource } from '../../controller/core/ports.ts';
import { OF_EVERY_KIND } from '../support/every-kind.ts';
import {
  endpointSliceObject,
  type KubernetesObject,
  podObject,
  serviceEntryObject,
  serviceObject,
} from '../support/kubernetes-objects.ts';
import { RecordingMeshSink } from '../support/recording-mesh-sink.ts';

/** A world of Kubernetes objects that sources can be opened on. */
interface World {
  /** From now on exactly these objects exist. */
  set(objects: readonly KubernetesObject[]): Promise<void>;
  /** A source of this world, not started. The world stops it when the test ends. */
  open(): MeshSource;
}

/** Makes a world in which nothing exists, and cleans up when the test ends. */
export type MakeWorld = (t: TestContext) => Promise<World>;

const SERVICE = serviceObject('cart');
const CHANGED = serviceObject('cart', { ports: [{ name: 'grpc', port: 81, targetPort: 81 }] });
const SLICE = endpointSliceObject('cart');
const POD = podObject('cart-5d4-x');
const ENTRY = serviceEntryObject('bank');
/** Whoever keeps Kubernetes objects takes it: their schema of addresses is any text. */
const WRONG = serviceEntryObject('bank', { addresses: ['nowhere'] });
/** Told last, so that whoever has seen it has seen everything that was told before. */
const SENTINEL = serviceObject('sentinel');
const SENTINEL_NAME = 'Service shop/sentinel';

async function started(world: World): Promise<RecordingMeshSink> {
  const sink = new RecordingMeshSink();
  await world.open().start(sink);
  return sink;
}

function tellsTheStart(makeWorld: MakeWorld): void {
  test('tells everything that exists before it is synced, and is synced once', async (t) => {
    const world = await makeWorld(t);
    await world.set([SERVICE, SLICE, POD]);
    const sink = new RecordingMeshSink();
    const source = world.open();
    const toldBeforeSync: number[] = [];
    const synced = sink.synced.bind(sink);
    sink.synced = (at) => {
      toldBeforeSync.push(sink.objects.size);
      synced(at);
    };
    await source.start(sink);
    assert.deepEqual(toldBeforeSync, [3]);
    assert.deepEqual([...sink.objects.keys()].sort(), [
      'EndpointSlice shop/cart-abc',
      'Pod shop/cart-5d4-x',
      'Service shop/cart',
    ]);
    await world.set([SERVICE, SLICE, POD, SENTINEL]);
    await sink.untilKnown(SENTINEL_NAME);
    assert.equal(sink.syncs.length, 1);
  });

  test('tells an object of every kind', async (t) => {
    const world = await makeWorld(t);
    await world.set(OF_EVERY_KIND);
    const sink = await started(world);
    assert.deepEqual(sink.problems, []);
    const kinds = OF_EVERY_KIND.map(({ kind }) => kind);
    assert.deepEqual([...sink.objects.values()].map(({ kind }) => kind).sort(), kinds.sort());
  });

  test('an empty world is synced, without an event', async (t) => {
    const sink = await started(await makeWorld(t));
    assert.deepEqual([sink.syncs.length, sink.batches, sink.problems], [1, [], []]);
  });
}

function tellsChanges(makeWorld: MakeWorld): void {
  test('tells an object that is new', async (t) => {
    const world = await makeWorld(t);
    const sink = await started(world);
    await world.set([SERVICE]);
    await sink.untilKnown('Service shop/cart');
    assert.deepEqual(sink.log, ['Applied Service shop/cart']);
  });

  test('tells a changed object once and none of the others', async (t) => {
    const world = await makeWorld(t);
    await world.set([SERVICE, SLICE, POD]);
    const sink = await started(world);
    const told = sink.log.length;
    await world.set([CHANGED, SLICE, POD, SENTINEL]);
    await sink.untilKnown(SENTINEL_NAME);
    assert.deepEqual(sink.log.slice(told).sort(), ['Applied Service shop/cart', `Applied ${SENTINEL_NAME}`]);
    const service = sink.objects.get('Service shop/cart');
    assert(service?.kind === 'Service');
    assert.deepEqual(service.ports, [{ name: 'grpc', port: 81, targetPort: 81, protocol: 'GRPC' }]);
  });

  test('tells an object that is gone, and nothing of the others', async (t) => {
    const world = await makeWorld(t);
    await world.set([SERVICE, SLICE, POD]);
    const sink = await started(world);
    const told = sink.log.length;
    await world.set([SERVICE, POD]);
    await sink.untilKnown('EndpointSlice shop/cart-abc', false);
    assert.deepEqual(sink.log.slice(told), ['Deleted EndpointSlice shop/cart-abc']);
  });

  test('is silent about what did not change in what we read', async (t) => {
    const world = await makeWorld(t);
    await world.set([SERVICE, POD]);
    const sink = await started(world);
    const told = sink.log.length;
    await world.set([serviceObject('cart', { sessionAffinity: 'None' }, { labels: { a: 'b' } }), POD, SENTINEL]);
    await sink.untilKnown(SENTINEL_NAME);
    assert.deepEqual(sink.log.slice(told), [`Applied ${SENTINEL_NAME}`]);
  });

  test('an object that comes back is told again', async (t) => {
    const world = await makeWorld(t);
    await world.set([SERVICE, SLICE]);
    const sink = await started(world);
    await world.set([SERVICE]);
    await sink.untilKnown('EndpointSlice shop/cart-abc', false);
    await world.set([SERVICE, SLICE]);
    await sink.untilKnown('EndpointSlice shop/cart-abc');
  });
}

function survivesBadInput(makeWorld: MakeWorld): void {
  test('names a wrong object and tells the others', async (t) => {
    const world = await makeWorld(t);
    await world.set([WRONG, SERVICE]);
    const sink = await started(world);
    assert.deepEqual(sink.log, ['Applied Service shop/cart']);
    assert.equal(sink.problems.length, 1);
    const [{ subject, reason } = { subject: '', reason: '' }] = sink.problems;
    assert.match(
      `${subject} ${reason}`,
      /ServiceEntry shop\/bank spec\.addresses\[0\]: expected an address or a CIDR block/,
    );
  });

  test('keeps an object that becomes wrong as it was', async (t) => {
    const world = await makeWorld(t);
    await world.set([ENTRY, SERVICE]);
    const sink = await started(world);
    await world.set([WRONG, SERVICE, SENTINEL]);
    await sink.untilKnown(SENTINEL_NAME);
    await sink.until('the wrong ServiceEntry is a problem', () => sink.problems.length === 1);
    assert.equal(sink.objects.get('ServiceEntry shop/bank')?.name, 'bank');
  });

  test('says nothing about kinds that we do not read', async (t) => {
    const world = await makeWorld(t);
    const metadata = { name: 'cart', namespace: 'shop' };
    await world.set([{ apiVersion: 'v1', kind: 'Secret', metadata }, SERVICE]);
    const sink = await started(world);
    assert.deepEqual([sink.log, sink.problems], [['Applied Service shop/cart'], []]);
  });
}

function stops(makeWorld: MakeWorld): void {
  test('says nothing after it was stopped', async (t) => {
    const world = await makeWorld(t);
    await world.set([SERVICE]);
    const sink = new RecordingMeshSink();
    const source = world.open();
    await source.start(sink);
    await source.stop();
    const witness = await started(world);
    await world.set([SERVICE, SENTINEL]);
    await witness.untilKnown(SENTINEL_NAME);
    assert.deepEqual(sink.log, ['Applied Service shop/cart']);
  });

  test('can be stopped before it is started, and twice', async (t) => {
    const source = (await makeWorld(t)).open();
    await source.stop();
    await source.stop();
  });
}

/** Runs the suite against sources of a kind of world. */
export function testMeshSource(makeWorld: MakeWorld): void {
  tellsTheStart(makeWorld);
  tellsChanges(makeWorld);
  survivesBadInput(makeWorld);
  stops(makeWorld);
}
