/** `make demo` as its user runs it: the figures that it writes, and that nothing is left behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DemoFigures } from '../../demo/figures.ts';
import { SHOP } from '../../demo/shop.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));
const FILLER = 20;

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  const env = { ...process.env, FILLER: String(FILLER), ...environment };
  return spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Collects what it prints; resolves when the text was printed. */
function reader({ stdout }: ChildProcess): {
  readonly text: () => string;
  readonly printed: (part: string) => Promise<void>;
} {
  let text = '';
  let check: () => void = () => undefined;
  stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    check();
  });
  const printed = (part: string): Promise<void> =>
    new Promise((resolve) => {
      check = () => {
        if (text.includes(part)) resolve();
      };
      check();
    });
  return { text: () => text, printed };
}

const namespaces = (): string => execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' });

describe('the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-demo-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const before = namespaces();

  it('tells the story and writes its figures', async () => {
    const file = join(folder, 'figures.json');
    const demo = start({ JSON: file });
    const { text } = reader(demo);
    const [code] = await once(demo, 'close');
    assert.equal(code, 0, text());
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
      assert.ok(text().includes(part), `it prints "${part}"`);
    }
    assert.equal(namespaces(), before, 'it cleans up');
  });

  it('cleans up after Ctrl-C, and KEEP=1 says how to look', async () => {
    const demo = start({ KEEP: '1' });
    const { text, printed } = reader(demo);
    await printed('Ctrl-C');
    demo.kill('SIGINT');
    const [code] = await once(demo, 'close');
    assert.equal(code, 130);
    assert.match(text(), /LAZYSCOPE_SERVER=http/);
    assert.equal(namespaces(), before);
  });

  it('cleans up after a crash of an earlier run', async () => {
    const crashed = start({});
    await reader(crashed).printed('Controller and egress run');
    crashed.kill('SIGKILL');
    await once(crashed, 'close');
    assert.notEqual(namespaces(), before);
    const demo = start({});
    const [code] = await once(demo, 'close');
    assert.equal(code, 0);
    assert.equal(namespaces(), before);
  });
});
