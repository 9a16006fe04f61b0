import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AlsClient } from '../../egress/als-client.ts';
import { RefusalTally } from '../../egress/refusal-tally.ts';
import { Report } from '../../egress/report.ts';
import type { Observation } from '../../egress/report-key.ts';
import { FakeController, startController } from './support/controller.ts';
import { REPORTER } from './support/relay.ts';
import { until } from './support/until.ts';

function observation(port: number): Observation {
  return {
    source: { address: '10.0.0.1', port: 40_000 },
    destination: { address: '10.96.0.1', port },
    sight: { protocol: 'TCP' },
    startTime: 1_700_000_000_000,
  };
}

interface Telling {
  readonly controller: FakeController;
  readonly report: Report;
  readonly refusals: RefusalTally;
  readonly client: AlsClient;
  /** Entries that were written. */
  readonly written: () => number;
}

function telling(t: TestContext, controller: FakeController, intervalMs = 60_000): Telling {
  const report = new Report({ reporter: REPORTER, maxKeys: 100_000 });
  const refusals = new RefusalTally();
  let written = 0;
  const client = new AlsClient({
    client: controller.client(t),
    nodeId: REPORTER,
    report,
    refusals,
    intervalMs,
    onChange: () => {},
    onWritten: (entries) => {
      written += entries;
    },
  });
  client.start();
  t.after(() => client.finish());
  return { controller, report, refusals, client, written: () => written };
}

test('names itself first, then tells what is new', async (t) => {
  const { controller, report } = telling(t, await startController(t));
  const stream = await controller.alsStream(0);
  report.open(observation(80));
  await until(() => stream.entries.length === 1);
  assert.deepEqual(stream.nodeIds, [REPORTER]);
  const [entry] = stream.entries;
  assert.deepEqual([entry?.phase, entry?.destination.port], ['Start', 80]);
});

test('what happened before the controller was there is told when it comes', async (t) => {
  const controller = new FakeController();
  await controller.start();
  controller.kill();
  const { report } = telling(t, controller);
  for (let port = 1; port <= 600; port += 1) report.close(report.open(observation(port)));
  await controller.start();
  t.after(() => controller.kill());
  const stream = await controller.alsStream(0);
  const told = (): Set<number> => new Set(stream.entries.map(({ destination }) => destination.port));
  await until(() => told().size === 600);
});

test('after a reconnect everything live is told again, with the counters since', async (t) => {
  const { controller, report } = telling(t, await startController(t));
  const first = await controller.alsStream(0);
  const key = report.open(observation(80));
  key.bytesSent += 10;
  await until(() => first.entries.length === 1);
  controller.kill();
  key.bytesSent += 5;
  await controller.start();
  const second = await controller.alsStream(1);
  await until(() => second.entries.length === 1);
  assert.deepEqual(
    [first, second].map(({ entries }) => `${entries[0]?.phase} ${entries[0]?.counters.bytesSent}`),
    ['Start 10', 'Periodic 5'],
  );
  assert.deepEqual(second.nodeIds, [REPORTER]);
});

test('live connections are announced again and again', async (t) => {
  const { controller, report } = telling(t, await startController(t), 100);
  const stream = await controller.alsStream(0);
  report.open(observation(80));
  await until(() => stream.entries.length >= 4);
  assert.deepEqual(
    stream.entries.slice(0, 3).map(({ phase, counters }) => `${phase} ${counters.connections}`),
    ['Start 1', 'Periodic 0', 'Periodic 0'],
  );
});

test('a controller that does not read stops the writing; what waits merges, and nothing is lost', async (t) => {
  const controller = await startController(t);
  controller.isDeaf = true;
  const { report, written } = telling(t, controller);
  const stream = await controller.alsStream(0);
  // More than the buffers of gRPC, HTTP/2 and TCP take.
  const KEYS = 20_000;
  const keys = Array.from({ length: KEYS }, (_, at) => report.open(observation(at + 1)));
  for (let before = -1, now = 0; before !== now; now = written()) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.ok(report.hasNews, 'the rest waits in the report');
  for (const key of keys) key.requests += 1;
  for (const key of keys) report.close(key);
  stream.call.emit('listen');
  await until(() => stream.entries.filter(({ phase }) => phase === 'End').length === KEYS);
  const sum = (name: 'connections' | 'requests'): number =>
    stream.entries.reduce((total, { counters }) => total + counters[name], 0);
  assert.deepEqual([sum('connections'), sum('requests')], [KEYS, KEYS]);
});

test('the last entries are told before it ends', async (t) => {
  const { controller, report, client } = telling(t, await startController(t));
  const stream = await controller.alsStream(0);
  report.close(report.open(observation(80)));
  await client.finish();
  assert.deepEqual(
    stream.entries.map(({ phase }) => phase),
    ['Start', 'End'],
  );
});

test('ending without a controller takes no time', async (t) => {
  const controller = new FakeController();
  await controller.start();
  controller.kill();
  const { client } = telling(t, controller);
  await client.finish();
});

test('tells how many connections of whom it refused, once, and nothing while there are none', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const { controller, refusals } = telling(t, await startController(t));
  const stream = await controller.alsStream(0);
  await until(() => stream.nodeIds.length > 0);
  for (const reason of ['MaxConnections', 'IdentityMismatch', 'Loop', 'ClosedBeforeHeader'] as const) {
    refusals.add(reason, '10.0.0.1');
  }
  refusals.add('BrokenHeader', 'fd00::1');
  t.mock.timers.tick(15_000);
  await until(() => stream.refusals.length > 0);
  refusals.add('TlsHandshakeFailed', '10.0.0.1');
  t.mock.timers.tick(5_000);
  await until(() => stream.refusals.length > 1);
  const first = new Map([
    ['10.0.0.1', 2],
    ['fd00::1', 1],
  ]);
  assert.deepEqual(stream.refusals, [first, new Map([['10.0.0.1', 1]])]);
  assert.deepEqual(stream.entries, []);
});

test('what it refused while the controller was away is not told when it comes', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const controller = new FakeController();
  await controller.start();
  controller.kill();
  const { refusals, report } = telling(t, controller);
  refusals.add('MaxConnections', '10.0.0.1');
  t.mock.timers.tick(5_000);
  await controller.start();
  t.after(() => controller.kill());
  const stream = await controller.alsStream(0);
  report.open(observation(80));
  t.mock.timers.tick(5_000);
  await until(() => stream.entries.length > 0);
  assert.deepEqual(stream.refusals, []);
});
