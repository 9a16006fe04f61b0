import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warmClusters } from '../../../../controller/core/delta/status.ts';
import { MemoryStream } from '../../../support/ads/memory-stream.ts';
import { world } from '../../../support/ads/worlds.ts';

test('a cluster is warm once it is acknowledged, and not in the form that leads to the egress', () => {
  const stream = new MemoryStream(world({ CDS: 'web db@relayed-1', EDS: 'web' }));
  stream.request('CDS');
  stream.responses();
  assert.deepEqual([...warmClusters(stream.client)], []);
  stream.ack('CDS');
  assert.deepEqual([...warmClusters(stream.client)], ['web']);
  stream.publish(world({ CDS: 'web db', EDS: 'web db' }));
  stream.responses();
  assert.deepEqual([...warmClusters(stream.client)], ['web']);
  stream.ack('CDS');
  assert.deepEqual([...warmClusters(stream.client)], ['web', 'db']);
});
