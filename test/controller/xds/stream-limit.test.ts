import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { createAdsService } from '../../../controller/xds/server.ts';
import { AdsClient } from '../../support/ads/ads-client.ts';
import { nodeId } from '../../support/ads/ads-server.ts';
import { MeshSource } from '../../support/ads/mesh-source.ts';
import { world } from '../../support/ads/worlds.ts';
import { eventually } from '../../support/eventually.ts';

test('so many streams are served at a time; one that ends makes room', async (t) => {
  const [source, metrics, logger] = [new MeshSource(), new Registry(), pino({ level: 'silent' })];
  const service = createAdsService({ source, now: Date.now, logger, metrics, maxStreams: 2 });
  const server = new Server();
  server.addService(AggregatedDiscoveryService, service.handlers);
  const port = await new Promise<number>((resolve) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_error, bound) => resolve(bound));
  });
  t.after(() => server.forceShutdown());
  const connect = (pod: string): AdsClient => {
    const client = new AdsClient(port, nodeId(pod));
    t.after(() => client.close());
    source.snapshots.set(pod, world({ CDS: 'a' }));
    client.request('CDS');
    return client;
  };
  const first = connect('first-0');
  const second = connect('second-0');
  for (const client of [first, second]) assert.equal(await client.acknowledged(), 'Cluster +a');

  const third = connect('third-0');
  assert.equal((await third.ended)?.code, status.RESOURCE_EXHAUSTED);
  const refused = await metrics.getSingleMetricAsString('lazyscope_xds_refused_total');
  assert.match(refused, /\{reason="streams"\} 1$/);

  first.close();
  await eventually('a stream has ended', () => service.statuses().length === 1);
  assert.equal(await connect('fourth-0').acknowledged(), 'Cluster +a');
});
