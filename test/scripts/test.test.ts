import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';

const RUNNER = join(import.meta.dirname, '..', '..', 'scripts', 'test.ts');
const HEAD = "import { after, describe, test } from 'node:test';\n";
const PASSES = "test('passes', () => {});\n";

interface Run {
  readonly status: number | null;
  readonly output: string;
  readonly cwd: string;
}

/** Runs `make test`'s runner on files of a project of its own. */
function runTests(t: TestContext, files: Record<string, string>, parts: readonly string[] = []): Run {
  const cwd = mkdtempSync(join(tmpdir(), 'lazyscope-tests-'));
  t.after(() => rmSync(cwd, { recursive: true }));
  for (const [name, code] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, name)), { recursive: true });
    writeFileSync(join(cwd, name), HEAD + code);
  }
  // Node's runner refuses to run inside a test that it runs, and tells by this variable.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [RUNNER, ...parts], { cwd, env, encoding: 'utf8' });
  return { status, output: stdout + stderr, cwd };
}

test('passes when every test passes, and closes with the sum of unit and e2e tests', (t) => {
  const files = { 'test/a.test.ts': PASSES, 'test/core/b.test.ts': PASSES, 'test/e2e/c.test.ts': PASSES };
  const { status, output } = runTests(t, files);
  assert.equal(status, 0, output);
  assert.match(output, /^ℹ tests 3\nℹ suites 0\nℹ pass 3\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0$/m);
  assert.equal(output.match(/^ℹ tests /gm)?.length, 1);
});

test('leaves out the tests on real servers, which run when asked for', (t) => {
  const files = { 'test/a.test.ts': PASSES, 'test/mesh/b.test.ts': PASSES, 'test/mesh/c.test.ts': PASSES };
  assert.match(runTests(t, files).output, /^ℹ tests 1$/m);
  assert.match(runTests(t, files, ['--mesh']).output, /^ℹ tests 2$/m);
  assert.match(runTests(t, files, ['--mesh', 'c.test']).output, /^ℹ tests 1$/m);
});

/** Says when it begins and, after a while, when it ends. */
const TAKES_A_WHILE = `
import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
test('takes a while', async () => {
  appendFileSync('order', 'begins ');
  await setTimeout(500);
  appendFileSync('order', 'ends ');
});
`;

test('runs tests under load one at a time', (t) => {
  const names = ['test/mesh/load/a.test.ts', 'test/mesh/load/b.test.ts'];
  const files = Object.fromEntries(names.map((name) => [name, TAKES_A_WHILE]));
  const { status, cwd } = runTests(t, files, ['--mesh']);
  assert.deepEqual([status, readFileSync(join(cwd, 'order'), 'utf8')], [0, 'begins ends begins ends ']);
});

const FAILURES: Record<string, { readonly code: string; readonly says: RegExp }> = {
  'a test fails': {
    code: "test('no', () => { throw 1; });",
    says: /^Some tests failed\.\n.*b\.test\.ts:2 no\n {2}1$/m,
  },
  'an assertion fails': {
    code: "import assert from 'node:assert/strict';\ntest('sum', () => assert.equal(1 + 1, 3));",
    says: /^Some tests failed\.\n.*b\.test\.ts:\d+ sum\n(?: {2}.*\n)*? {2}2 !== 3\n(?: {2}.*\n)*? {4}at .*b\.test\.ts:\d+/m,
  },
  'a test is skipped': { code: "test.skip('later', () => {});", says: /skipped or todo: later$/m },
  'a test skips itself': { code: "test('needs a moon', (t) => t.skip('no moon'));", says: /todo: needs a moon$/m },
  'a nested test is skipped': { code: "test('out', (t) => t.test('in', { skip: true }));", says: /todo: in$/m },
  'a suite is skipped': { code: "describe.skip('all', () => test('one', () => {}));", says: /todo: .*all/m },
  'a test is a todo': { code: "test.todo('some day');", says: /skipped or todo: some day$/m },
  'a failing test is a todo': { code: "test('x', { todo: true }, () => { throw 1; });", says: /todo: x$/m },
  'a hook fails': { code: "describe('s', () => { after(() => { throw 1; }); test('x', () => {}); });", says: /^Some/m },
  'something fails after its test': {
    code: "test('x', () => { setTimeout(() => Promise.reject(new Error('late')), 100); });",
    says: /^Some tests failed\.\n.*"Error: late"/m,
  },
  'a file does not load': { code: "throw new Error('broken');", says: /^Some tests failed/m },
};

for (const [name, { code, says }] of Object.entries(FAILURES)) {
  test(`fails when ${name}, though another passes`, (t) => {
    const { status, output } = runTests(t, { 'test/a.test.ts': PASSES, 'test/b.test.ts': code });
    assert.equal(status, 1, output);
    assert.match(output, says);
  });
}

test('fails when there is no test', (t) => {
  const { status, output } = runTests(t, { 'test/not-a-test.ts': PASSES });
  assert.equal(status, 1);
  assert.match(output, /^No test ran\.$/m);
});

test('takes only files whose path contains the given part', (t) => {
  const { status, output } = runTests(t, { 'test/one.test.ts': PASSES, 'test/two.test.ts': 'throw 1;' }, ['one']);
  assert.equal(status, 0, output);
  assert.match(output, /^ℹ tests 1$/m);
});
