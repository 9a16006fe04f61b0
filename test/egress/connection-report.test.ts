import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConnectionReport } from '../../egress/connection-report.ts';
import { Metrics } from '../../egress/metrics.ts';
import { Report } from '../../egress/report.ts';

test('a connection carries its newest 64 keys; what it carries no more is told, and counted', () => {
  const report = new Report({ reporter: 'egress', maxKeys: 1_000 });
  const { traffic } = new Metrics('test');
  const connection = new ConnectionReport(report, traffic, {
    source: { address: '10.0.0.1', port: 40_000 },
    destination: { address: '10.96.0.1', port: 80 },
    startTime: 1_000,
  });
  const uncounted = { bytesSent: 0, bytesReceived: 0 };
  for (let host = 0; host < 70; host += 1) connection.see({ protocol: 'HTTP1', host: `host-${host}` }, uncounted);
  assert.equal(traffic.keysCut, 6);
  const ended = report.take(1_000).filter(({ phase }) => phase === 'End');
  assert.deepEqual(
    ended.map(({ host }) => host),
    Array.from({ length: 6 }, (_, host) => `host-${host}`),
  );
  connection.close();
  assert.equal(report.take(1_000).filter(({ phase }) => phase === 'End').length, 64);
});
