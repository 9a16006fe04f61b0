import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse, parseAllDocuments } from 'yaml';
import { splitDocuments, splitItems } from '../../../controller/files/split.ts';
import { serviceObject } from '../../support/kubernetes-objects.ts';
import { kubectlYamlOf } from '../../support/manifest-folder.ts';

/** Text, and the line and number of every document in it. */
const DOCUMENTS: readonly (readonly [string, string, readonly (readonly [number, number])[]])[] = [
  ['nothing', '', []],
  ['only comments and markers', '# a\n\n---\n# b\n---\n', []],
  ['one document', 'a: 1\n', [[1, 1]]],
  ['one document after a marker', '---\na: 1\n', [[1, 1]]],
  [
    'two documents',
    'a: 1\n---\nb: 2\n',
    [
      [1, 1],
      [2, 2],
    ],
  ],
  [
    'an empty document between two',
    'a: 1\n---\n# none\n---\nb: 2\n',
    [
      [1, 1],
      [4, 2],
    ],
  ],
  [
    'a document beside its marker',
    '--- {a: 1}\n--- {b: 2}\n',
    [
      [1, 1],
      [2, 2],
    ],
  ],
  [
    'lines that end in CR LF',
    'a: 1\r\n---\r\nb: 2\r\n',
    [
      [1, 1],
      [2, 2],
    ],
  ],
  ['markers that are none', 'a: |\n  ---\n  x\nb: ----\n---x: 1\n', [[1, 1]]],
  ['directives', '%YAML 1.2\n---\na: 1\n', [[1, 1]]],
];

for (const [what, text, expected] of DOCUMENTS) {
  test(`documents of ${what}`, () => {
    assert.deepEqual(
      splitDocuments(text).map(({ line, document }) => [line, document]),
      expected,
    );
  });
}

test('documents parsed one by one are the documents parsed together', () => {
  const parts = fc.constantFrom(
    'a: 1\n',
    '---\n',
    '--- # c\n',
    'b:\n  - c\n',
    'd: |\n  ---\n  e\n',
    '# f\n',
    '\n',
    '---\r\n',
    '"g\n h": i\n',
  );
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 8 }), (lines) => {
      const text = lines.join('');
      const together = parseAllDocuments(text);
      fc.pre(Array.isArray(together) && together.every(({ errors }) => errors.length === 0));
      const values =
        'empty' in together ? [] : together.map((document) => document.toJS()).filter((value) => value !== null);
      assert.deepEqual(
        splitDocuments(text).map((chunk) => parse(chunk.text)),
        values,
      );
    }),
  );
});

function itemsOf(text: string): string[] | undefined {
  const [document] = splitDocuments(text);
  assert(document);
  return splitItems(document)?.map((item) => item.text);
}

test('items of what kubectl prints parse to the items of the list, each with its line', () => {
  const objects = [
    serviceObject('a'),
    serviceObject('b', {}, { annotations: { note: '- x\n\nkind: List\n---\ny' } }),
    serviceObject('c'),
  ];
  const text = `# printed\n${kubectlYamlOf(objects)}`.replace('# printed\n', '---\n');
  const [document] = splitDocuments(text);
  const items = splitItems(document ?? assert.fail()) ?? assert.fail();
  assert.deepEqual(
    items.flatMap((item) => parse(item.text)),
    objects,
  );
  const lines = text.split('\n');
  for (const item of items) assert.equal(lines[item.line - 1], item.text.split('\n', 1)[0]);
});

const WHOLE: readonly (readonly [string, string])[] = [
  ['a list whose end is missing', 'apiVersion: v1\nitems:\n- a: 1\n- b: 2\n'],
  ['a list whose end is cut short', 'apiVersion: v1\nitems:\n- a: 1\nkind: Lis'],
  ['a list with its kind first', 'apiVersion: v1\nkind: List\nitems:\n- a: 1\n'],
  ['a list with indented items', 'apiVersion: v1\nitems:\n  - a: 1\nkind: List\n'],
  ['a list with something between the items', 'apiVersion: v1\nitems:\n- a: 1\n# x\n- b: 1\nkind: List\n'],
  ['an empty list', 'apiVersion: v1\nitems: []\nkind: List\n'],
  ['a list with more behind its kind', 'apiVersion: v1\nitems:\n- a: 1\nkind: List\nother: 1\n'],
  ['one object', 'apiVersion: v1\nkind: Pod\n'],
];

for (const [what, text] of WHOLE) {
  test(`${what} is not cut into items`, () => {
    assert.equal(itemsOf(text), undefined);
  });
}
