import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KnownObjects, nextLook, updateKnown } from '../../../controller/files/file-objects.ts';
import { type FileContent, readText } from '../../../controller/files/read-text.ts';
import {
  endpointSliceObject,
  type KubernetesObject,
  podObject,
  serviceObject,
} from '../../support/kubernetes-objects.ts';
import { kubectlYamlOf, yamlOf } from '../../support/manifest-folder.ts';

const SECOND_LOOK = 5_000;

const contentOf = async (text: string, json = false): Promise<FileContent> =>
  (await readText({ file: 'f', text, json, options: { clusterDomain: 'cluster.local' }, cache: new Map() })).content;

/** What is known after reading these texts at these times. */
async function after(...readings: readonly (readonly [number, string])[]): Promise<KnownObjects> {
  let known: KnownObjects = new Map();
  for (const [now, text] of readings) {
    known = updateKnown(known, await contentOf(text), { now, secondLook: SECOND_LOOK });
  }
  return known;
}

/** What the file contributes. */
const objects = (known: KnownObjects): Map<string, unknown> =>
  new Map([...known].flatMap(([name, { object, doubt }]) => (doubt?.reason === 'Unconfirmed' ? [] : [[name, object]])));

const A = serviceObject('a');
const B = serviceObject('b');
const BOTH = yamlOf([A, B]);
const BOTH_NAMES = ['Service shop/a', 'Service shop/b'];

/** What the later readings of a file with A and B hold, and which of the two is known after them. */
const HISTORIES: readonly (readonly [string, readonly (readonly [number, string])[], readonly string[]])[] = [
  ['missing once', [[1, yamlOf([A])]], BOTH_NAMES],
  [
    'missing for less than 5 s',
    [
      [1, yamlOf([A])],
      [5_000, yamlOf([A])],
    ],
    BOTH_NAMES,
  ],
  [
    'missing in a second reading 5 s later',
    [
      [1, yamlOf([A])],
      [5_001, yamlOf([A])],
    ],
    ['Service shop/a'],
  ],
  [
    'back in between',
    [
      [1, yamlOf([A])],
      [3_000, BOTH],
      [6_000, yamlOf([A])],
    ],
    BOTH_NAMES,
  ],
  [
    'a file that does not parse',
    [
      [1, 'a: "'],
      [9_000, 'a: "'],
    ],
    BOTH_NAMES,
  ],
  [
    'a document that does not parse',
    [
      [1, `${yamlOf([A])}---\n"`],
      [9_000, `${yamlOf([A])}---\n"`],
    ],
    BOTH_NAMES,
  ],
  [
    'a broken file between two that miss it',
    [
      [1, yamlOf([A])],
      [3_000, 'a: "'],
      [7_000, yamlOf([A])],
    ],
    BOTH_NAMES,
  ],
  ['an empty file', [[1, '']], BOTH_NAMES],
  [
    'an empty file, still after 5 s',
    [
      [1, ''],
      [5_001, ''],
    ],
    [],
  ],
  [
    'a wrong object',
    [
      [1, yamlOf([A, serviceObject('b', { ports: 1 })])],
      [9_000, yamlOf([A, serviceObject('b', { ports: 1 })])],
    ],
    BOTH_NAMES,
  ],
];

for (const [what, readings, expected] of HISTORIES) {
  test(`${what}: ${expected.join(' and ') || 'nothing'} is known`, async () => {
    assert.deepEqual([...objects(await after([0, BOTH], ...readings)).keys()].sort(), expected);
  });
}

test('a change that adds, replaces or takes from an earlier document counts at once', async () => {
  const slice = (addresses: readonly string[]): KubernetesObject =>
    endpointSliceObject('a', { endpoints: addresses.map((address) => ({ addresses: [address] })) });
  const changes: readonly (readonly [readonly KubernetesObject[], readonly KubernetesObject[]])[] = [
    [[slice(['10.0.0.1'])], [slice(['10.0.0.1', '10.0.0.2'])]],
    [[slice(['10.0.0.1'])], [slice(['10.0.0.2'])]],
    [
      [slice(['10.0.0.1', '10.0.0.2']), B],
      [slice(['10.0.0.2']), B],
    ],
  ];
  for (const [before, now] of changes) {
    const known = await after([0, yamlOf(before)], [1, yamlOf(now)]);
    assert.deepEqual(objects(known), objects(await after([0, yamlOf(now)])));
  }
});

test('what the last document loses is lost with the second look', async () => {
  const [full, less] = [yamlOf([A]), yamlOf([serviceObject('a', { ports: [] })])];
  assert.deepEqual(objects(await after([0, full], [1, less], [5_000, less])), objects(await after([0, full])));
  assert.deepEqual(objects(await after([0, full], [1, less], [5_001, less])), objects(await after([0, less])));
});

const FILE = [
  A,
  endpointSliceObject('a'),
  podObject('c', { metadata: { annotations: { 'lazyscope.io/mode': 'Off' } } }),
];
const FORMS = {
  'many documents': yamlOf(FILE),
  'a printed list': kubectlYamlOf(FILE),
  'a list with its kind first': yamlOf([{ apiVersion: 'v1', kind: 'List', items: FILE }]),
};

for (const [form, text] of Object.entries(FORMS)) {
  test(`cut at any byte, ${form} loses and changes nothing before the second look`, async () => {
    const known = await after([0, text]);
    for (let length = 0; length < text.length; length += 1) {
      const cut = updateKnown(known, await contentOf(text.slice(0, length)), { now: 1, secondLook: SECOND_LOOK });
      assert.deepEqual(objects(cut), objects(known), `cut at ${length}`);
    }
  });
}

test('JSON that is cut at any byte is kept for ever', async () => {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: FILE });
  const known = updateKnown(new Map(), await contentOf(text, true), { now: 0, secondLook: SECOND_LOOK });
  for (let length = 0; length < text.length; length += 1) {
    const cut = await contentOf(text.slice(0, length), true);
    const first = updateKnown(known, cut, { now: 1, secondLook: SECOND_LOOK });
    assert.deepEqual(updateKnown(first, cut, { now: 9_000, secondLook: SECOND_LOOK }), known);
  }
});

test('the next look is 5 s after the oldest doubt, and there is none without doubts', async () => {
  assert.equal(nextLook(await after([0, BOTH]), SECOND_LOOK), undefined);
  assert.equal(nextLook(await after([0, BOTH], [10, yamlOf([A])], [20, yamlOf([])]), SECOND_LOOK), 5_010);
});

test('reading the same again changes nothing, whatever came before', async () => {
  const texts = fc.constantFrom(
    BOTH,
    yamlOf([A]),
    yamlOf([B]),
    yamlOf([B, A]),
    '',
    'a: "',
    yamlOf([serviceObject('a', { ports: [] })]),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.nat(4_000), texts), { minLength: 1, maxLength: 6 }), async (steps) => {
      let now = 0;
      const readings = steps.map(([wait, text]) => {
        now += wait;
        return [now, text] as const;
      });
      const known = await after(...readings);
      const again = await after(...readings, [now, readings.at(-1)?.[1] ?? '']);
      assert.deepEqual(objects(again), objects(known));
    }),
    { numRuns: 1_000 },
  );
});
