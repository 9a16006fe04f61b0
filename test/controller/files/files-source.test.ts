import assert from 'node:assert/strict';
import { mkdir, rename, rm, utimes } from 'node:fs/promises';
import { test } from 'node:test';
import { FilesSource } from '../../../controller/files/files-source.ts';
import { endpointSliceObject, serviceObject } from '../../support/kubernetes-objects.ts';
import { ManifestFolder, NO_SECOND_LOOK, QUICK, yamlOf } from '../../support/manifest-folder.ts';
import { RecordingMeshSink } from '../../support/recording-mesh-sink.ts';

const A = serviceObject('a');
const B = serviceObject('b');
const [A_NAME, B_NAME] = ['Service shop/a', 'Service shop/b'];

test('a file that was written long ago is read at once at start', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([A]));
  await utimes(folder.file('a.yaml'), 1, 1);
  const sink = await folder.follow({ timings: { ...QUICK, stillness: 3_600_000 } });
  assert.deepEqual(sink.log, [`Applied ${A_NAME}`]);
});

test('a file that is being written at start is waited for before anything is synced', async (t) => {
  const folder = await ManifestFolder.make(t);
  const begin = performance.now();
  await folder.write('a.yaml', yamlOf([A]));
  const sink = new RecordingMeshSink();
  await folder.source({ timings: { ...QUICK, stillness: 150 } }).start(sink);
  assert.deepEqual(sink.log, [`Applied ${A_NAME}`]);
  assert(performance.now() - begin >= 100, 'the file was read before it stood still');
});

test('events carry the time of the clock that was given', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([A]));
  const sink = await folder.follow({ now: () => 1_234 });
  assert.deepEqual([sink.batches[0]?.[0]?.at, sink.syncs], [1_234, [1_234]]);
});

test('a path that does not exist is waited for, and named once', async (t) => {
  const folder = await ManifestFolder.make(t);
  const path = folder.file('later');
  const sink = new RecordingMeshSink();
  const synced = folder.source({ path }).start(sink);
  await sink.until('the path is a problem', () => sink.problems.length > 0);
  assert.deepEqual([sink.problems[0]?.subject, sink.syncs], [path, []]);
  assert.match(sink.problems[0]?.reason ?? '', /no such file or directory.*nothing is served until it can be read/);
  await mkdir(folder.file('new'));
  await folder.write('new/a.yaml', yamlOf([A]));
  await rename(folder.file('new'), path);
  await synced;
  assert.deepEqual([sink.log, sink.problems.length], [[`Applied ${A_NAME}`], 1]);
});

test('one file can be the path, also when it is replaced', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([A]));
  await folder.write('b.yaml', yamlOf([B]));
  const sink = await folder.follow({ path: folder.file('a.yaml') });
  assert.deepEqual(sink.log, [`Applied ${A_NAME}`]);
  await folder.replace('a.yaml', yamlOf([A, serviceObject('c')]));
  await sink.untilKnown('Service shop/c');
});

test('without a path it refuses to start', async () => {
  const source = new FilesSource({ path: '', clusterDomain: 'cluster.local' });
  await assert.rejects(source.start(new RecordingMeshSink()), { code: 'InvalidConfiguration' });
});

test('when the folder goes away everything is kept, which is a problem; it goes on when the folder is back', async (t) => {
  const folder = await ManifestFolder.make(t);
  const path = folder.file('mesh');
  await mkdir(path);
  await folder.write('mesh/a.yaml', yamlOf([A]));
  const sink = await folder.follow({ path, timings: { ...QUICK, secondLook: 30 } });
  await rename(path, folder.file('away'));
  await sink.until('the folder is missed', () => sink.problems.length > 0);
  assert.match(sink.problems[0]?.reason ?? '', /all objects are kept until it is back/);
  await folder.write('away/b.yaml', yamlOf([B]));
  await rename(folder.file('away'), path);
  await sink.untilKnown(B_NAME);
  assert.deepEqual(sink.log, [`Applied ${A_NAME}`, `Applied ${B_NAME}`]);
});

test('a file in a subfolder is followed', async (t) => {
  const folder = await ManifestFolder.make(t);
  const sink = await folder.follow();
  await mkdir(folder.file('team'));
  await folder.write('team/a.yaml', yamlOf([A]));
  await sink.untilKnown(A_NAME);
});

test('all changes that are found together are told together, what is gone first', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('1.yaml', yamlOf([A, B]));
  const sink = await folder.follow();
  assert.equal(sink.batches.length, 1);
  const removed = Promise.withResolvers<void>();
  const events = sink.events.bind(sink);
  sink.events = (batch) => {
    events(batch);
    if (batch.some(({ type }) => type === 'Deleted')) removed.resolve();
  };
  await folder.remove('1.yaml');
  await removed.promise;
  assert.deepEqual(sink.log.slice(2), [`Deleted ${A_NAME}`, `Deleted ${B_NAME}`]);
  assert.equal(sink.batches.length, 2);
});

test('a removed file and a removed object are told with the second look, not before', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([A]));
  await folder.write('b.yaml', yamlOf([B, serviceObject('c')]));
  const sink = await folder.follow();
  const begin = performance.now();
  await folder.remove('a.yaml');
  await folder.write('b.yaml', yamlOf([serviceObject('c')]));
  await sink.untilKnown(A_NAME, false);
  await sink.untilKnown(B_NAME, false);
  assert(performance.now() - begin >= QUICK.secondLook, 'removed before the second look');
  assert.deepEqual([...sink.objects.keys()], ['Service shop/c']);
});

test('an object that moves to another file is never gone', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('z.yaml', yamlOf([A, B]));
  const sink = await folder.follow();
  await folder.write('a.yaml', yamlOf([A]));
  await folder.write('z.yaml', yamlOf([B]));
  await folder.write('y.yaml', yamlOf([serviceObject('sentinel')]));
  await sink.untilKnown('Service shop/sentinel');
  await folder.remove('y.yaml');
  await sink.untilKnown('Service shop/sentinel', false);
  assert.deepEqual(
    sink.log.filter((line) => line.includes(A_NAME)),
    [`Applied ${A_NAME}`],
  );
});

test('a broken file keeps its objects and is named once for what is wrong, however often it is written', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([A, B]));
  const sink = await folder.follow({ timings: { ...QUICK, secondLook: 30 } });
  const broken = `${yamlOf([A])}---\nkind: "\n`;
  await folder.write('a.yaml', broken);
  await sink.until('it is a problem', () => sink.problems.length === 1);
  assert.equal(sink.problems[0]?.subject, `${folder.file('a.yaml')}, document 2`);
  await folder.replace('a.yaml', broken);
  await folder.write('z.yaml', yamlOf([serviceObject('sentinel')]));
  await sink.untilKnown('Service shop/sentinel');
  await folder.remove('z.yaml');
  await sink.untilKnown('Service shop/sentinel', false);
  assert.equal(sink.problems.length, 1);
  assert.deepEqual([...sink.objects.keys()], [A_NAME, B_NAME]);
});

test('a file that is no text in UTF-8 is a problem, and what it held is kept', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([A]));
  const sink = await folder.follow();
  await folder.write('a.yaml', Buffer.from([0xff, 0xfe, 0x61]));
  await sink.until('it is a problem', () => sink.problems.length === 1);
  assert.match(sink.problems[0]?.reason ?? '', /cannot be read, its last good objects are kept/);
  assert.deepEqual([...sink.objects.keys()], [A_NAME]);
});

test('a file that keeps changing is named', async (t) => {
  const folder = await ManifestFolder.make(t);
  const sink = await folder.follow({ timings: { ...QUICK, stillness: 3_600_000, restless: 30 } });
  await folder.write('a.yaml', yamlOf([A]));
  await sink.until('it is a problem', () => sink.problems.length === 1);
  assert.match(sink.problems[0]?.reason ?? '', /keeps changing, so it is not read/);
});

test('the same object in two files is a problem, and that of the last file counts', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('a.yaml', yamlOf([serviceObject('a', { ports: [] })]));
  await folder.write('b.yaml', yamlOf([A]));
  const sink = await folder.follow();
  const service = sink.objects.get(A_NAME);
  assert(service?.kind === 'Service');
  assert.equal(service.ports.length, 1);
  assert.deepEqual(
    sink.problems.map(({ subject }) => subject),
    [folder.file('b.yaml')],
  );
});

test('it says how many objects of which kinds it left out', async (t) => {
  const folder = await ManifestFolder.make(t);
  const revision = { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'a' } };
  await folder.write('a.yaml', yamlOf([revision, A]));
  await folder.write('b.yaml', yamlOf([revision, serviceObject('x', { type: 'ExternalName' })]));
  const source = folder.source();
  await source.start(new RecordingMeshSink());
  assert.deepEqual(
    source.ignored(),
    new Map([
      ['apps/v1 ControllerRevision', 2],
      ['Service', 1],
    ]),
  );
});

test('a change in a subfolder, where nothing but the poll looks, is told', async (t) => {
  const folder = await ManifestFolder.make(t);
  await mkdir(folder.file('deep'));
  await folder.write('deep/a.yaml', yamlOf([endpointSliceObject('a')]));
  const sink = await folder.follow({ timings: NO_SECOND_LOOK });
  await folder.write(
    'deep/a.yaml',
    yamlOf([endpointSliceObject('a', { endpoints: [{ addresses: ['10.1.0.11'], conditions: { ready: true } }] })]),
  );
  await sink.until('the new address is told', () => JSON.stringify([...sink.objects.values()]).includes('10.1.0.11'));
});

test('a source that waits for its path can be stopped', async (t) => {
  const folder = await ManifestFolder.make(t);
  const sink = new RecordingMeshSink();
  const source = folder.source({ path: folder.file('never') });
  let resolved = false;
  void source.start(sink).then(() => {
    resolved = true;
  });
  await sink.until('the path is a problem', () => sink.problems.length > 0);
  await source.stop();
  await rm(folder.path, { recursive: true });
  assert.deepEqual([resolved, sink.syncs], [false, []]);
});
