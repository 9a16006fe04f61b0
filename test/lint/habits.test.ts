/** The linter's other rules that carry a decision of ours, each broken on purpose, and kept next to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Finding, lint } from './lint.ts';

interface Habit {
  readonly finding: string;
  readonly broken: Record<string, string>;
  readonly kept: Record<string, string>;
}

const lines = (count: number): string => '  work();\n'.repeat(count);
const functionOf = (count: number): string => `export function f(work: () => void): void {\n${lines(count)}}\n`;
const constants = (count: number): string =>
  Array.from({ length: count }, (_, i) => `export const c${i} = ${i};\n`).join('');
const nested = (depth: number): string => {
  const open = Array.from({ length: depth }, (_, i) => `if (n > ${i}) {`).join(' ');
  return `export function f(n: number): number { ${open} return n; ${'}'.repeat(depth)} return 0; }\n`;
};
const pure = (expression: string): Record<string, string> => ({
  'controller/core/one.ts': `export const f = (time: number) => [time, ${expression}];\n`,
});

const PURITY = [
  ['reads no clock', 'plugin', 'Date.now()'],
  ['takes no date from the clock', 'plugin', 'new Date()'],
  ['rolls no dice', 'plugin', 'Math.random()'],
  ['writes no log', 'lint/style/noRestrictedGlobals', 'console.log(1)'],
  ['sets no timer', 'lint/style/noRestrictedGlobals', 'setTimeout(f, 1)'],
  ['sets no interval', 'lint/style/noRestrictedGlobals', 'setInterval(f, 1)'],
  ['knows no process', 'lint/style/noRestrictedGlobals', 'process.pid'],
] as const;

const HABITS: Record<string, Habit> = {
  'functions fit on a screen': {
    finding: 'lint/complexity/noExcessiveLinesPerFunction',
    broken: { 'egress/one.ts': functionOf(61) },
    kept: { 'egress/one.ts': functionOf(58) },
  },
  'files stay under 400 lines': {
    finding: 'lint/style/noExcessiveLinesPerFile',
    broken: { 'egress/one.ts': constants(401) },
    kept: { 'egress/one.ts': constants(400) },
  },
  'functions stay simple': {
    finding: 'lint/complexity/noExcessiveCognitiveComplexity',
    broken: { 'egress/one.ts': nested(6) },
    kept: { 'egress/one.ts': nested(5) },
  },
  'functions take four parameters': {
    finding: 'lint/complexity/useMaxParams',
    broken: { 'egress/one.ts': 'export const f = (a: 1, b: 2, c: 3, d: 4, e: 5) => [a, b, c, d, e];\n' },
    kept: { 'egress/one.ts': 'export const f = (a: 1, b: 2, c: 3, d: 4) => [a, b, c, d];\n' },
  },
  'files are named in kebab case': {
    finding: 'lint/style/useFilenamingConvention',
    broken: { 'egress/twoWords.ts': constants(1) },
    kept: { 'egress/two-words.ts': constants(1) },
  },
  'only the configuration reads the environment': {
    finding: 'lint/style/noProcessEnv',
    broken: { 'egress/one.ts': 'export const home = process.env.HOME;\n' },
    kept: { 'egress/config.ts': 'export const home = process.env.HOME;\n' },
  },
  'no file only passes on what others export': {
    finding: 'lint/performance/noBarrelFile',
    broken: { 'egress/one.ts': "export * from './two.ts';\n", 'egress/two.ts': constants(1) },
    kept: {
      'egress/one.ts': "import { c0 } from './two.ts';\nexport const one = c0;\n",
      'egress/two.ts': constants(1),
    },
  },
  'exports have names': {
    finding: 'lint/style/noDefaultExport',
    broken: { 'egress/one.ts': 'export default 1;\n' },
    kept: { 'egress/one.ts': 'export const one = 1;\n' },
  },
  'no promise is forgotten, whichever file it comes from': {
    finding: 'lint/nursery/noFloatingPromises',
    broken: {
      'egress/one.ts': "import { work } from './two.ts';\nexport function f(): void {\n  work();\n}\n",
      'egress/two.ts': 'export async function work(): Promise<void> {}\n',
    },
    kept: {
      'egress/one.ts':
        "import { work } from './two.ts';\nexport async function f(): Promise<void> {\n  await work();\n}\n",
      'egress/two.ts': 'export async function work(): Promise<void> {}\n',
    },
  },
};

const rulesOf = (findings: readonly Finding[]): string[] => findings.map(({ rule }) => rule);

for (const [name, { finding, broken, kept }] of Object.entries(HABITS)) {
  test(name, (t) => {
    assert.deepEqual(rulesOf(lint(t, broken)), [finding]);
    assert.deepEqual(lint(t, kept), []);
  });
}

for (const [name, finding, expression] of PURITY) {
  test(`the core ${name}`, (t) => {
    assert.deepEqual(rulesOf(lint(t, pure(expression))), [finding]);
    assert.deepEqual(lint(t, pure('new Date(time).toISOString()')), []);
  });
}

test('imports form no circle', (t) => {
  const one = "import { two } from './two.ts';\nexport const one = () => two;\n";
  const two = "import { one } from './one.ts';\nexport const two = () => one;\n";
  const findings = rulesOf(lint(t, { 'egress/one.ts': one, 'egress/two.ts': two }));
  assert.deepEqual(findings, ['lint/suspicious/noImportCycles', 'lint/suspicious/noImportCycles']);
  assert.deepEqual(lint(t, { 'egress/one.ts': one, 'egress/two.ts': 'export const two = 2;\n' }), []);
});
