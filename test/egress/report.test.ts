import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AccessLogEntry } from '../../controller/core/model.ts';
import { Report } from '../../egress/report.ts';
import type { Observation, ReportKey } from '../../egress/report-key.ts';

function observation(changes: Partial<Observation> = {}): Observation {
  return {
    source: { address: '10.0.0.1', port: 40_000 },
    destination: { address: '10.96.0.1', port: 80 },
    sight: { protocol: 'HTTP1', host: 'web' },
    startTime: 1_000,
    ...changes,
  };
}

const createReport = (maxKeys = 100): Report => new Report({ reporter: 'egress', maxKeys });
const summary = ({ phase, counters }: AccessLogEntry): string =>
  `${phase} ${counters.connections}/${counters.requests}/${counters.bytesSent}/${counters.bytesReceived}`;

test('connections of one key are one entry, with the newest start time', () => {
  const report = createReport();
  report.open(observation());
  report.open(observation({ source: { address: '10.0.0.1', port: 40_001 }, startTime: 2_000 }));
  const entries = report.take(10);
  assert.deepEqual(entries.map(summary), ['Start 2/0/0/0']);
  assert.deepEqual([entries[0]?.startTime, entries[0]?.source.port], [2_000, 40_001]);
});

test('source, destination, protocol, host and server name make a key; the source port does not', () => {
  const variations: Partial<Observation>[] = [
    {},
    { source: { address: '10.0.0.2', port: 40_000 } },
    { destination: { address: '10.96.0.2', port: 80 } },
    { destination: { address: '10.96.0.1', port: 81 } },
    { sight: { protocol: 'HTTP1', host: 'api' } },
    { sight: { protocol: 'HTTP1' } },
    { sight: { protocol: 'TLS', serverName: 'web' } },
    { sight: { protocol: 'TCP' } },
  ];
  const report = createReport();
  for (const variation of [...variations, ...variations]) report.open(observation(variation));
  report.open(observation({ source: { address: '10.0.0.1', port: 1 } }));
  assert.equal(report.size, variations.length);
  assert.equal(report.take(100).length, variations.length);
});

test('counters are increments', () => {
  const report = createReport();
  const key = report.open(observation());
  key.requests += 1;
  key.bytesSent += 10;
  assert.deepEqual(report.take(10).map(summary), ['Start 1/1/10/0']);
  key.bytesReceived += 5;
  assert.deepEqual(report.take(10).map(summary), [], 'counting alone is no news');
  report.nextRound();
  assert.deepEqual(report.take(10).map(summary), ['Periodic 0/0/0/5']);
  report.nextRound();
  assert.deepEqual(report.take(10).map(summary), ['Periodic 0/0/0/0'], 'live keys are told again');
  report.close(key);
  assert.deepEqual(report.take(10).map(summary), ['End 0/0/0/0']);
});

test('a key is told in two rounds, also when its connection has ended before the first', () => {
  const report = createReport();
  report.close(report.open(observation()));
  assert.deepEqual(report.take(10).map(summary), ['Start 1/0/0/0', 'End 0/0/0/0']);
  assert.equal(report.size, 1);
  report.nextRound();
  assert.deepEqual(report.take(10).map(summary), ['Periodic 0/0/0/0']);
  assert.equal(report.size, 0);
  report.nextRound();
  assert.equal(report.hasNews, false);
});

test('what was told over a stream that broke is told twice again', () => {
  const report = createReport();
  report.close(report.open(observation()));
  report.take(10);
  report.streamOpened();
  assert.deepEqual(report.take(10).map(summary), ['Periodic 0/0/0/0']);
  report.streamOpened();
  assert.deepEqual(report.take(10).map(summary), ['Periodic 0/0/0/0']);
  report.nextRound();
  assert.equal(report.take(10).length, 1);
  assert.equal(report.size, 0);
});

test('a key that is used again after it was forgotten starts again', () => {
  const report = createReport();
  report.close(report.open(observation()));
  report.take(10);
  report.nextRound();
  report.take(10);
  report.open(observation());
  assert.deepEqual(report.take(10).map(summary), ['Start 1/0/0/0']);
});

test('a failed dial is told once, apart from what was answered', () => {
  const report = createReport();
  report.open(observation());
  report.failed(observation());
  report.failed(observation());
  const entries = report.take(10);
  assert.deepEqual(
    entries.map(({ answered, counters }) => `${answered} ${counters.connections} ${counters.errors}`),
    ['false 0 2', 'true 1 0'],
  );
  assert.equal(report.hasNews, false);
});

test('beyond its bound the oldest key is dropped and counted', () => {
  const report = createReport(2);
  const keys = [1, 2, 3].map((port) => report.open(observation({ destination: { address: '10.0.0.9', port } })));
  assert.deepEqual([report.size, report.dropped], [2, 1]);
  assert.deepEqual(report.limits, { ReportKeys: 1, FailedDials: 0 });
  for (const key of keys) report.close(key);
  assert.deepEqual(
    report.take(10).map(({ phase, destination }) => `${phase} ${destination.port}`),
    ['Start 2', 'End 2', 'Start 3', 'End 3'],
  );
});

test('only so many failed dials wait; the others are counted, and displace nothing', () => {
  const report = createReport();
  report.open(observation());
  for (let port = 1; port <= 1_005; port += 1)
    report.failed(observation({ destination: { address: '10.0.0.9', port } }));
  assert.deepEqual(report.limits, { ReportKeys: 0, FailedDials: 5 });
  assert.equal(report.dropped, 5);
  const entries = report.take(2_000);
  assert.deepEqual([entries.length, entries.filter(({ answered }) => answered).length], [1_001, 1]);
});

test('entries are taken in portions', () => {
  const report = createReport();
  for (let port = 1; port <= 25; port += 1) report.open(observation({ destination: { address: '10.0.0.9', port } }));
  const portions: number[] = [];
  while (report.hasNews) portions.push(report.take(10).length);
  assert.deepEqual(portions, [10, 10, 5]);
});

/** What a connection may do to a report, and what must come of it. */
class ReportModel {
  readonly report = createReport();
  readonly told = new Map<number, number>();
  /** Connections and requests: as they happened, and as they were told. */
  readonly happened = { connections: 0, requests: 0 };
  readonly counted = { connections: 0, requests: 0 };
  readonly #open: ReportKey[] = [];

  open(port: number): void {
    this.#open.push(this.report.open(observation({ destination: { address: '10.0.0.9', port } })));
    this.happened.connections += 1;
  }

  close(): void {
    const key = this.#open.shift();
    if (key) this.report.close(key);
  }

  request(): void {
    const [key] = this.#open;
    if (!key) return;
    key.requests += 1;
    this.happened.requests += 1;
  }

  take(): void {
    for (const { destination, counters } of this.report.take(1_000)) {
      this.told.set(destination.port, (this.told.get(destination.port) ?? 0) + 1);
      this.counted.connections += counters.connections;
      this.counted.requests += counters.requests;
    }
  }

  finish(): void {
    while (this.#open.length > 0) this.close();
    for (let round = 0; round < 3; round += 1) {
      this.take();
      this.report.nextRound();
    }
  }
}

test('whatever happens in whatever order, every edge is told twice and everything is counted once', () => {
  const steps: readonly ((model: ReportModel) => void)[] = [
    (model) => model.open(1),
    (model) => model.open(2),
    (model) => model.close(),
    (model) => model.request(),
    (model) => model.take(),
    (model) => model.report.nextRound(),
    (model) => model.report.streamOpened(),
  ];
  const run = fc.property(fc.array(fc.constantFrom(...steps), { maxLength: 60 }), (chosen) => {
    const model = new ReportModel();
    for (const step of chosen) step(model);
    model.finish();
    assert.deepEqual(model.counted, model.happened);
    assert.equal(model.report.size, 0);
    for (const times of model.told.values()) assert.ok(times >= 2);
  });
  fc.assert(run, { numRuns: 1_000 });
});
