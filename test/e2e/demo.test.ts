/** `make demo` as its user runs it: the figures that it writes, and that nothing is left behind. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DemoFigures } from '../../demo/figures.ts';
import { SHOP } from '../../demo/shop.ts';
import { DemoRun } from '../support/demo-run.ts';

const FILLER = 20;

function start(environment: Readonly<Record<string, string>>): DemoRun {
  return new DemoRun({ FILLER: String(FILLER), ...environment });
}

describe('the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-demo-test-'));
  after(() => rmSync(folder, { recursive: true }));

  it('tells the story and writes its figures', async () => {
    const file = join(folder, 'figures.json');
    const demo = start({ JSON: file });
    assert.equal(await demo.ended(), 0, demo.text);
    const figures: DemoFigures = JSON.parse(readFileSync(file, 'utf8'));
    const calls = SHOP.flatMap((workload) => workload.calls);
    assert.equal(figures.mode, 'direct');
    assert.match(figures.envoy, /^\d+\.\d+\.\d+$/);
    assert.equal(figures.services, FILLER + SHOP.filter(({ serves }) => serves.length > 0).length);
    assert.equal(figures.edges.length, calls.length);
    assert.equal(figures.requests.failed, 0);
    assert.ok(figures.requests.total > calls.length);
    assert.ok(figures.afterRestart.edgesBefore > 0);
    assert.ok(figures.afterRestart.edgesAfter >= figures.afterRestart.edgesBefore, 'nothing was un-learned');
    assert.ok(figures.firstRequestToDirectMs.p50 <= figures.firstRequestToDirectMs.p99);
    for (const { name, dependencies, clusters, memoryAllocated } of figures.workloads) {
      const expected = SHOP.find((workload) => workload.name === name)?.calls.length;
      assert.equal(dependencies, expected, name);
      assert.equal(clusters.lazy, expected, name);
      assert.equal(clusters.eager, figures.services, name);
      assert.ok(memoryAllocated.lazy < memoryAllocated.eager, name);
    }
    for (const part of ['through the egress', 'learned ', 'pushed ', 'direct ', 'nothing was un-learned', 'WORKLOAD']) {
      assert.ok(demo.text.includes(part), `it prints "${part}"`);
    }
    await demo.assertNothingLeft();
  });

  it('cleans up after Ctrl-C, and KEEP=1 says how to look', async () => {
    const demo = start({ KEEP: '1' });
    await demo.printed('Ctrl-C');
    assert.equal(await demo.end('SIGINT'), 130);
    assert.match(demo.text, /LAZYSCOPE_SERVER=http/);
    await demo.assertNothingLeft();
  });

  it('cleans up after a crash of an earlier run', async () => {
    const crashed = start({});
    await crashed.printed('Controller and egress run');
    await crashed.end('SIGKILL');
    assert.notDeepEqual(crashed.remains(), []);
    assert.equal(await start({}).ended(), 0);
    await crashed.assertNothingLeft();
  });
});
