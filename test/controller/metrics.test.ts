import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addLearningMetrics, createMetrics } from '../../controller/metrics.ts';
import { encodeAccessLogs, encodeIdentifier } from '../../controller/wire/access-log.ts';
import { eventually } from '../support/eventually.ts';
import { entry, pod } from '../support/mesh-objects.ts';
import { AccessLogServer } from './als/access-log-server.ts';
import { Mesh } from './pipeline-mesh.ts';

const EGRESS = encodeIdentifier('egress~10.0.9.9~egress-0.lazyscope~lazyscope.svc.cluster.local');

test('whatever becomes of a stream, a message or an entry is counted in its own metric', async (t) => {
  const mesh = await new Mesh().start();
  t.after(() => mesh.pipeline.stop());
  const server = await AccessLogServer.start(t, { sink: mesh.pipeline });
  const registry = createMetrics('1.2.3');
  addLearningMetrics(registry, mesh.pipeline, server.service.counts);
  const entries = [
    entry('10.0.0.1', '10.96.0.1:9000'),
    entry('10.0.0.1', '10.96.0.1:9000'),
    entry('10.0.0.1', '10.96.0.1:9000', { answered: false }),
    entry('10.0.0.99', '10.96.0.1:9000'),
    entry('10.0.0.1', '10.96.0.1:0'),
  ];
  await server.send(EGRESS, ...encodeAccessLogs(entries), Buffer.from([0xff]), Buffer.alloc(5_000_000));
  await assert.rejects(server.send(...encodeAccessLogs(entries)), /INVALID_ARGUMENT/);
  const [broken, open] = [server.open(), server.open()];
  for (const sender of [broken, open]) sender.write(EGRESS);
  await eventually('both are open', () => server.service.counts.streams === 2);
  broken.write(Buffer.alloc(9_000_000));
  assert.match((await broken.ended)?.message ?? '', /RESOURCE_EXHAUSTED/);
  mesh.now += 30_000;
  mesh.tell(pod('another-0', '10.0.0.8'));
  const text = await registry.metrics();
  for (const line of [
    'entries_total{result="attributed"} 2',
    'entries_total{result="unanswered"} 1',
    'entries_total{result="waiting"} 1',
    'entries_total{result="dropped"} 1',
    'entries_total{result="invalid"} 1',
    'streams 1',
    'messages_total{result="unreadable"} 1',
    'messages_total{result="oversized"} 1',
    'streams_refused_total 1',
    'streams_broken_total 1',
  ]) {
    assert.ok(text.includes(`\nlazyscope_access_log_${line}\n`), `${line} is not in\n${text}`);
  }
  assert.match(text, /^lazyscope_edges_learned_total 1$/m);
  await open.end();
});
