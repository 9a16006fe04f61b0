import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson, parseYaml } from '../../../controller/files/parse.ts';

const VALUES: readonly (readonly [string, string, readonly unknown[]])[] = [
  ['an empty text', '', []],
  ['comments only', '# a\n', []],
  ['words that YAML 1.1 takes for booleans', 'a: yes\nb: "on"\nc: no\n', [{ a: 'yes', b: 'on', c: 'no' }]],
  ['a time stays text', 'a: 2026-01-31T12:00:00Z\n', [{ a: '2026-01-31T12:00:00Z' }]],
  ['merge keys', 'a: &x {b: 1}\nc:\n  <<: *x\n', [{ a: { b: 1 }, c: { b: 1 } }]],
  ['JSON is YAML', '{"a": [1, "b"]}', [{ a: [1, 'b'] }]],
];

for (const [what, text, values] of VALUES) {
  test(`YAML: ${what}`, () => {
    assert.deepEqual(parseYaml(text), { values });
  });
}

const bomb = (levels: number): string =>
  Array.from(
    { length: levels },
    (_, level) => `a${level}: &a${level} [${level ? Array(9).fill(`*a${level - 1}`) : 'x'}]\n`,
  ).join('');

const FAILURES: readonly (readonly [string, string, RegExp, number?])[] = [
  ['a key twice', 'a: 1\nb: 2\na: 3\n', /^Map keys must be unique$/, 3],
  ['no closing quote', 'a: "b\n', /quote/, 2],
  ['wrong indentation', 'a:\n  - b\n c: 1\n', /./],
  ['a tab for indentation', 'a:\n\tb: 1\n', /[Tt]ab/, 2],
  ['an alias without an anchor', 'a: *b\n', /^Unresolved alias/],
  ['an alias bomb', bomb(9), /alias/],
  ['nesting without end', '['.repeat(100_000), /./],
];

for (const [what, text, failure, line] of FAILURES) {
  test(`YAML with ${what} fails in one line that says why`, () => {
    const parsed = parseYaml(text);
    assert('failure' in parsed);
    assert.match(parsed.failure, failure);
    assert.doesNotMatch(parsed.failure, /\n/);
    if (line !== undefined) assert.equal(parsed.line, line);
  });
}

test('JSON that is cut short fails wherever it is cut', () => {
  const text = JSON.stringify({ apiVersion: 'v1', items: [{ a: 'b' }, { c: [1, null] }] });
  assert.deepEqual(parseJson(text), { values: [JSON.parse(text)] });
  for (let length = 0; length < text.length; length += 1) assert('failure' in parseJson(text.slice(0, length)));
});
