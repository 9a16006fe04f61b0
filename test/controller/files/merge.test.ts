import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MeshObject } from '../../../controller/core/mesh-object.ts';
import type { Mode } from '../../../controller/core/model.ts';
import type { KnownObject, KnownObjects } from '../../../controller/files/file-objects.ts';
import { difference, mergeFiles } from '../../../controller/files/merge.ts';
import { objectName } from '../../../controller/wire/kubernetes/reduction.ts';

const namespace = (name: string, mode: Mode): MeshObject => ({ kind: 'Namespace', namespace: '', name, mode });
const known = (object: MeshObject, missing = false): KnownObject =>
  missing ? { object, leaves: 1, doubt: { reason: 'Missing', since: 0 } } : { object, leaves: 1 };
const file = (...objects: readonly KnownObject[]): KnownObjects =>
  new Map(objects.map((one) => [objectName(one.object), one]));

const OFF = namespace('shop', 'Off');
const ENFORCE = namespace('shop', 'Enforce');

const CASES: readonly (readonly [string, KnownObjects, KnownObjects, MeshObject, number])[] = [
  [
    'of two files that have it, the later one counts, which is a problem',
    file(known(OFF)),
    file(known(ENFORCE)),
    ENFORCE,
    1,
  ],
  ['it moved to an earlier file', file(known(ENFORCE)), file(known(OFF, true)), ENFORCE, 0],
  ['it moved to a later file', file(known(OFF, true)), file(known(ENFORCE)), ENFORCE, 0],
  ['it is missing in both', file(known(OFF, true)), file(known(ENFORCE, true)), ENFORCE, 0],
];

for (const [what, first, second, expected, problems] of CASES) {
  test(`an object in two files: ${what}`, () => {
    const merged = mergeFiles(
      new Map([
        ['a.yaml', first],
        ['b.yaml', second],
      ]),
    );
    assert.deepEqual([...merged.objects.values()], [expected]);
    assert.equal(merged.problems.length, problems);
  });
}

test('an object that is not confirmed yet does not count', () => {
  const torso: KnownObject = { object: OFF, leaves: 1, doubt: { reason: 'Unconfirmed', since: 0 } };
  assert.deepEqual([...mergeFiles(new Map([['a.yaml', file(torso)]])).objects], []);
  assert.deepEqual(
    mergeFiles(
      new Map([
        ['a.yaml', file(known(ENFORCE))],
        ['b.yaml', file(torso)],
      ]),
    ),
    {
      objects: new Map([['Namespace shop', ENFORCE]]),
      problems: [],
    },
  );
});

test('files that hold the same objects are one problem, with their number and one name', () => {
  const both = file(known(OFF), known(namespace('pay', 'Off')));
  assert.deepEqual(
    mergeFiles(
      new Map([
        ['a.yaml', both],
        ['b.yaml', both],
      ]),
    ).problems,
    [
      {
        subject: 'b.yaml',
        reason:
          'has 2 object(s) that a.yaml has too, Namespace shop for one; those of b.yaml count: keep each object in one file',
      },
    ],
  );
});

const meshes = fc
  .uniqueArray(
    fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), mode: fc.constantFrom<Mode>('Off', 'Enforce') }),
    {
      selector: ({ name }) => name,
    },
  )
  .map((all) => new Map(all.map(({ name, mode }) => [`Namespace ${name}`, namespace(name, mode)])));

test('applying a difference gives what is now, and then there is none', () => {
  fc.assert(
    fc.property(meshes, meshes, (told, now) => {
      const { applied, deleted } = difference(told, now);
      const result = new Map(told);
      for (const ref of deleted) result.delete(objectName(ref));
      for (const object of applied) result.set(objectName(object), object);
      assert.deepEqual(result, new Map(now));
      assert.deepEqual(difference(structuredClone(now), now), { applied: [], deleted: [] });
    }),
  );
});
