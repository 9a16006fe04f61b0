import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChunkCache, type FileContent, readText } from '../../../controller/files/read-text.ts';
import { type KubernetesObject, podObject, serviceObject } from '../../support/kubernetes-objects.ts';
import { kubectlYamlOf, yamlOf } from '../../support/manifest-folder.ts';

const read = (text: string, cache: ChunkCache = new Map(), json = false): ReturnType<typeof readText> =>
  readText({ file: 'mesh.yaml', text, json, options: { clusterDomain: 'cluster.local' }, cache });

const contentOf = async (text: string, json = false): Promise<FileContent> =>
  (await read(text, new Map(), json)).content;

const OBJECTS = [serviceObject('a'), serviceObject('b'), podObject('c')];
const NAMES = ['Service shop/a', 'Service shop/b', 'Pod shop/c'];
const BROKEN = serviceObject('broken', { ports: [{ port: 'x' }] });

for (const [form, text, json] of [
  ['many documents', yamlOf(OBJECTS), false],
  ['a printed list', kubectlYamlOf(OBJECTS), false],
  ['a JSON list', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS }), true],
  ['JSON in a YAML file', JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS }), false],
] as const) {
  test(`${form}: all objects, no problem`, async () => {
    const content = await contentOf(text, json);
    assert.deepEqual([...content.objects.keys()], NAMES);
    assert.deepEqual([content.problems, content.partial], [[], false]);
  });
}

test('only the last object of YAML may be cut short', async () => {
  const last = async (text: string, json = false): Promise<string[]> =>
    [...(await contentOf(text, json)).objects].filter(([, object]) => object.last).map(([name]) => name);
  assert.deepEqual(await last(yamlOf(OBJECTS)), ['Pod shop/c']);
  assert.deepEqual(await last(kubectlYamlOf(OBJECTS)), ['Pod shop/c']);
  assert.deepEqual(await last(JSON.stringify(podObject('c')), true), []);
});

test('a text that does not end with its line is unterminated, JSON and nothing excepted', async () => {
  assert.equal((await contentOf('a: 1')).unterminated, true);
  assert.equal((await contentOf('a: 1\n')).unterminated, false);
  assert.equal((await contentOf('')).unterminated, false);
  assert.equal((await contentOf('{}', true)).unterminated, false);
});

test('a document that cannot be parsed is named by file, number and line; the others are read', async () => {
  const text = `${yamlOf([serviceObject('a')])}---\nkind: "\n${yamlOf([serviceObject('b')])}`;
  const line = text.slice(0, text.indexOf('kind: "\n')).split('\n').length;
  const content = await contentOf(text);
  assert.deepEqual([...content.objects.keys()], ['Service shop/a', 'Service shop/b']);
  assert.equal(content.partial, true);
  assert.equal(content.problems.length, 1);
  assert.equal(content.problems[0]?.subject, 'mesh.yaml, document 2');
  assert.match(content.problems[0]?.reason ?? '', new RegExp(`^line ${line + 1}: Missing closing "quote; until`));
});

const PLACES: readonly (readonly [string, string, string])[] = [
  ['a document', yamlOf([serviceObject('a'), BROKEN]), 'mesh.yaml, document 2: Service shop/broken'],
  ['no object', `${yamlOf([serviceObject('a')])}---\n- 1\n`, 'mesh.yaml, document 2: object'],
];

for (const [what, text, subject] of PLACES) {
  test(`a problem names file and document of ${what}`, async () => {
    assert.deepEqual(
      (await contentOf(text)).problems.map((problem) => problem.subject),
      [subject],
    );
  });
}

test('a problem in a printed list names the line of the item', async () => {
  const text = kubectlYamlOf([serviceObject('a'), BROKEN]);
  const [{ subject } = { subject: '' }] = (await contentOf(text)).problems;
  const line = Number(/^mesh\.yaml, document 1, item at line (\d+): Service shop\/broken$/.exec(subject)?.[1]);
  assert.match(text.split('\n')[line - 1] ?? '', /^- apiVersion/);
});

test('a wrong object is rejected by name, and makes the file no less complete', async () => {
  const content = await contentOf(yamlOf([BROKEN]));
  assert.deepEqual([[...content.rejected], content.partial], [['Service shop/broken'], false]);
});

test('an object without a name makes the file incomplete', async () => {
  assert.equal((await contentOf(yamlOf([{ apiVersion: 'v1', kind: 'Pod' }]))).partial, true);
});

test('of an object that is there twice the later one counts, which is a problem', async () => {
  const content = await contentOf(yamlOf([serviceObject('a'), serviceObject('a', { ports: [] })]));
  const object = content.objects.get('Service shop/a')?.object;
  assert(object?.kind === 'Service');
  assert.deepEqual(object.ports, []);
  assert.equal(content.problems[0]?.subject, 'mesh.yaml, document 2: Service shop/a');
});

test('objects that are left out are counted by kind', async () => {
  const revision: KubernetesObject = { apiVersion: 'apps/v1', kind: 'ControllerRevision' };
  const external = serviceObject('x', { type: 'ExternalName' });
  const { ignored } = await contentOf(yamlOf([revision, external, revision]));
  assert.deepEqual(
    [...ignored],
    [
      ['apps/v1 ControllerRevision', 2],
      ['Service', 1],
    ],
  );
});

test('an item may use an anchor of another item', async () => {
  const metadata = '{name: a, namespace: shop, labels: &labels {x: y}}';
  const spec = '{clusterIP: 10.0.0.1}';
  const other = '{name: b, namespace: shop, labels: *labels}';
  const item = (meta: string): string => `- apiVersion: v1\n  kind: Service\n  metadata: ${meta}\n  spec: ${spec}\n`;
  const { objects, problems } = await contentOf(`apiVersion: v1\nitems:\n${item(metadata)}${item(other)}kind: List\n`);
  assert.deepEqual([[...objects.keys()], problems], [['Service shop/a', 'Service shop/b'], []]);
});

for (const print of [yamlOf, kubectlYamlOf]) {
  test(`what did not change is the identical object at the next reading (${print.name})`, async () => {
    const first = await read(print(OBJECTS));
    const second = await read(
      print([serviceObject('new'), serviceObject('a', { ports: [] }), ...OBJECTS.slice(1)]),
      first.cache,
    );
    const same = (name: string): boolean =>
      first.content.objects.get(name)?.object === second.content.objects.get(name)?.object;
    assert.deepEqual(NAMES.map(same), [false, true, true]);
  });
}
