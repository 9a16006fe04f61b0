/** The list of limits is what the programs do: each metric is served by the real program, each test exists. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lazyscope } from '../support/bed/program.ts';
import { CONTROLLER_LIMITS, EGRESS_LIMITS, type Limit } from './limits.ts';

const FREE = '127.0.0.1:0';

/** Starts a program, waits until it listens, and returns what its `/metrics` says. */
async function metricsOf(t: TestContext, command: string, flags: Readonly<Record<string, string>>): Promise<string> {
  const [node = '', ...args] = lazyscope(command, { ...flags, 'http-listen': FREE });
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, http } = JSON.parse(line) as { readonly msg: string; readonly http: { readonly port: number } };
    if (msg === 'Listening') return (await fetch(`http://127.0.0.1:${http.port}/metrics`)).text();
  }
  throw new Error(`${command} ended before it listened`);
}

/** Those that the text has no series of, whatever its further labels. */
function missing(limits: readonly Limit[], metrics: string): readonly string[] {
  const lines = metrics.split('\n');
  const isThere = (metric: string): boolean =>
    metric.endsWith('}') ? lines.some((line) => line.startsWith(`${metric} `)) : metrics.includes(`# TYPE ${metric} `);
  return limits.map(({ metric }) => metric).filter((metric) => !isThere(metric));
}

test('the egress serves every metric that tells of one of its limits', async (t) => {
  const metrics = await metricsOf(t, 'egress', { listen: FREE, controller: '127.0.0.1:1' });
  assert.deepEqual(missing(EGRESS_LIMITS, metrics), []);
  const limits = [...metrics.matchAll(/^lazyscope_egress_limits_reached_total\{limit="\w+"\}/gm)].map(([line]) => line);
  const listed = new Set(EGRESS_LIMITS.map(({ metric }) => metric));
  assert.deepEqual(
    limits.filter((limit) => !listed.has(limit)),
    [],
    'not listed',
  );
});

test('the controller serves every metric that tells of one of its limits', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-limits-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const flags = { path: folder, egress: '10.0.0.9:15080', store: 'memory', 'grpc-listen': FREE };
  const metrics = await metricsOf(t, 'controller', flags);
  assert.deepEqual(missing(CONTROLLER_LIMITS, metrics), []);
  const limits = [...metrics.matchAll(/^lazyscope_limits_reached_total\{limit="\w+"\}/gm)].map(([line]) => line);
  const listed = new Set(CONTROLLER_LIMITS.map(({ metric }) => metric));
  assert.deepEqual(
    limits.filter((limit) => !listed.has(limit)),
    [],
    'not listed',
  );
});

test('docs/limits.md has a row for each limit, and no other', () => {
  const rows = [...EGRESS_LIMITS, ...CONTROLLER_LIMITS].map(
    ({ of, value, effect, metric }) => `| ${of} | ${value} | ${effect} | \`${metric}\` |`,
  );
  const text = readFileSync(fileURLToPath(new URL('../../docs/limits.md', import.meta.url)), 'utf8');
  const written = text.split('\n').filter((line) => /^\| (?!limit of)/.test(line));
  assert.deepEqual(written, rows);
});

for (const {
  of,
  test: [file, name],
} of [...EGRESS_LIMITS, ...CONTROLLER_LIMITS]) {
  test(`a test reaches the limit of ${of}`, () => {
    const text = readFileSync(fileURLToPath(new URL(`../${file}`, import.meta.url)), 'utf8');
    assert.ok(text.includes(`'${name}'`), `${file} has no test "${name}"`);
  });
}
