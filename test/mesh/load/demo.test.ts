/** `make demo MODE=istio` as its user runs it: its story, its figures, and that nothing is left behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DemoFigures } from '../../../demo/figures.ts';
import { SHOP } from '../../../demo/shop.ts';
import { DemoRun } from '../../support/demo-run.ts';

const FILLER = 20;
/** Every lazy sidecar holds it from the beginning: it speaks first on a port that is HTTP elsewhere. */
const PINNED = 'database:8080';

const folder = mkdtempSync(join(tmpdir(), 'lazyscope-demo-test-'));
after(() => rmSync(folder, { recursive: true }));

function start(environment: Readonly<Record<string, string>> = {}): DemoRun {
  return new DemoRun({ MODE: 'istio', FILLER: String(FILLER), ...environment });
}

test('It tells the story, and writes its figures', async () => {
  const file = join(folder, 'figures.json');
  const demo = start({ JSON: file });
  assert.equal(await demo.ended(), 0, demo.text);
  const figures: DemoFigures = JSON.parse(readFileSync(file, 'utf8'));
  const learned = SHOP.flatMap(({ calls }) => calls).filter((call) => call !== PINNED);
  assert.equal(figures.mode, 'istio');
  assert.match(figures.envoy, /^\d+\.\d+\.\d+$/);
  assert.equal(figures.services, FILLER + SHOP.filter(({ serves }) => serves.length > 0).length);
  assert.equal(figures.edges.length, learned.length);
  assert.equal(figures.requests.failed, 0, demo.text);
  assert.ok(figures.requests.total > learned.length);
  assert.ok(figures.afterRestart.edgesBefore > 0);
  assert.ok(figures.afterRestart.edgesAfter >= figures.afterRestart.edgesBefore, 'nothing was un-learned');
  assert.ok(figures.firstRequestToDirectMs.p50 <= figures.firstRequestToDirectMs.p99);
  assert.deepEqual(
    figures.workloads.map(({ name, dependencies }) => [name, dependencies]),
    SHOP.map(({ name, calls }) => [name, calls.filter((call) => call !== PINNED).length]),
  );
  const own = (figures.workloads.find(({ name }) => name === 'database')?.clusters.lazy ?? 0) - 1;
  for (const { name, dependencies, clusters, memoryAllocated } of figures.workloads) {
    assert.equal(clusters.lazy, own + 1 + dependencies, `${name}: what every lazy sidecar holds, and what it uses`);
    // The mesh's services and `kubernetes`.
    assert.equal(clusters.eager, figures.services + 1, name);
    assert.ok(memoryAllocated.lazy < memoryAllocated.eager, name);
  }
  for (const part of ['through the egress', 'learned ', 'pushed ', 'direct ', 'nothing was un-learned', 'WORKLOAD']) {
    assert.ok(demo.text.includes(part), `it prints "${part}"`);
  }
  await demo.assertNothingLeft();
});

test('It cleans up after Ctrl-C, also while its agents start', async () => {
  const demo = start();
  await demo.printed('its agents start');
  assert.equal(await demo.end('SIGINT'), 130);
  await demo.assertNothingLeft();
});
