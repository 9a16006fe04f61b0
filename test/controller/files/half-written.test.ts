/** Files as they really get cut: by writers that take their time. Every byte is tried in file-objects.test.ts. */
import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { test } from 'node:test';
import { endpointSliceObject, podObject, serviceObject } from '../../support/kubernetes-objects.ts';
import { kubectlYamlOf, ManifestFolder, NO_SECOND_LOOK, QUICK, yamlOf } from '../../support/manifest-folder.ts';

const OBJECTS = [serviceObject('a'), endpointSliceObject('a'), podObject('a-1')];

for (const print of [yamlOf, kubectlYamlOf]) {
  test(`a file that is cut where a line ends, or in one, removes and changes nothing (${print.name})`, async (t) => {
    const folder = await ManifestFolder.make(t);
    const text = print(OBJECTS);
    await folder.write('mesh.yaml', text);
    const sink = await folder.follow({ timings: { ...NO_SECOND_LOOK, stillness: 5, poll: 5 } });
    const told = sink.log.length;
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
    const cuts = [0, ...ends.flatMap((end) => [end - 3, end])].filter((length) => length < text.length);
    for (const length of cuts) {
      await folder.write('mesh.yaml', text.slice(0, length));
      const sentinel = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `cut-${length}` } };
      await folder.write('sentinel.json', JSON.stringify(sentinel));
      await sink.untilKnown(`Namespace cut-${length}`);
    }
    assert.deepEqual(
      sink.log.slice(told).filter((line) => !line.startsWith('Applied Namespace cut-')),
      [],
    );
  });
}

test('a file that is written slowly is read when it is finished', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('mesh.yaml', yamlOf(OBJECTS));
  const sink = await folder.follow({ timings: { ...QUICK, stillness: 100 } });
  const told = sink.log.length;
  const text = yamlOf([...OBJECTS, serviceObject('b')]);
  await using file = await open(folder.file('mesh.yaml'), 'w');
  for (let at = 0; at < text.length; at += 100) await file.write(text.slice(at, at + 100));
  await sink.untilKnown('Service shop/b');
  assert.deepEqual(sink.log.slice(told), ['Applied Service shop/b']);
});

test('a file that stays half-written loses what it misses with the second look', async (t) => {
  const folder = await ManifestFolder.make(t);
  await folder.write('mesh.yaml', yamlOf(OBJECTS));
  const sink = await folder.follow();
  await folder.write('mesh.yaml', yamlOf(OBJECTS.slice(0, 1)));
  await sink.untilKnown('Pod shop/a-1', false);
  assert.deepEqual([...sink.objects.keys()], ['Service shop/a']);
});
