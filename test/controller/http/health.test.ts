import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Registry } from 'prom-client';
import type { ReadinessCheck } from '../../../controller/core/report.ts';
import { startServer } from './start-server.ts';

async function getText(url: string): Promise<readonly [status: number, text: string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

const ok: ReadinessCheck = { name: 'registry', ok: true, detail: 'synced' };
const degraded: ReadinessCheck = { name: 'store', ok: false, degraded: true, detail: 'read-only' };
const broken: ReadinessCheck = { name: 'graph', ok: false, detail: 'not loaded' };

const readinessTable: readonly {
  readonly checks: readonly ReadinessCheck[];
  readonly path: string;
  readonly answer: readonly [number, string];
}[] = [
  { checks: [ok, degraded], path: '/readyz', answer: [200, 'ok\n'] },
  {
    checks: [ok, degraded],
    path: '/readyz?verbose',
    answer: [200, '[+]registry ok\n[+]store degraded: read-only\nreadyz check passed\n'],
  },
  {
    checks: [ok, broken],
    path: '/readyz',
    answer: [503, '[+]registry ok\n[-]graph: not loaded\nreadyz check failed\n'],
  },
  { checks: [broken], path: '/readyz?verbose', answer: [503, '[-]graph: not loaded\nreadyz check failed\n'] },
];

for (const { checks, path, answer } of readinessTable) {
  test(`${path} with ${checks.map(({ name }) => name).join(', ')} answers ${answer[0]}`, async (t) => {
    const server = await startServer(t, { readiness: () => checks });
    assert.deepEqual(await getText(`${server}${path}`), answer);
  });
}

test('/livez is ok while the event loop turns', async (t) => {
  assert.deepEqual(await getText(`${await startServer(t)}/livez`), [200, 'ok\n']);
});

test('/livez fails when the event loop lags by 5 seconds', async (t) => {
  const server = await startServer(t, { loopLag: async () => 5_000 });
  assert.deepEqual(await getText(`${server}/livez`), [503, 'The event loop lags by 5000 ms.\n']);
});

test('/metrics is the registry in Prometheus text format', async (t) => {
  const metrics = new Registry();
  new Counter({ name: 'lazyscope_test_total', help: 'test', registers: [metrics] }).inc(2);
  const response = await fetch(`${await startServer(t, { metrics })}/metrics`);
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  assert.match(await response.text(), /^lazyscope_test_total 2$/m);
});
