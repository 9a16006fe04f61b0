import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createGrpcServer } from '../../../controller/wire/grpc-server.ts';
import { type AdsServiceOptions, createAdsService } from '../../../controller/xds/server.ts';
import { AdsClient } from '../../support/ads/ads-client.ts';
import { nodeId } from '../../support/ads/ads-server.ts';
import { MeshSource } from '../../support/ads/mesh-source.ts';
import { world } from '../../support/ads/worlds.ts';
import { eventually } from '../../support/eventually.ts';

/** Serves these options; tells how often streams were refused for a reason. */
async function serve(t: TestContext, options: Partial<AdsServiceOptions>) {
  const [source, metrics, logger] = [new MeshSource(), new Registry(), pino({ level: 'silent' })];
  const service = createAdsService({ source, now: Date.now, logger, metrics, ...options });
  const server = createGrpcServer({ discovery: service.handlers });
  const { port } = await server.listen({ address: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  const open = (pod: string): AdsClient => {
    const client = new AdsClient(port, nodeId(pod));
    t.after(() => client.close());
    source.snapshots.set(pod, world({ CDS: 'a' }));
    return client;
  };
  const connect = (pod: string): AdsClient => {
    const client = open(pod);
    client.request('CDS');
    return client;
  };
  return { service, open, connect, refused: () => metrics.getSingleMetricAsString('lazyscope_xds_refused_total') };
}

test('so many streams are served at a time; one that ends makes room', async (t) => {
  const { service, connect, refused } = await serve(t, { maxStreams: 2 });
  const first = connect('first-0');
  const second = connect('second-0');
  for (const client of [first, second]) assert.equal(await client.acknowledged(), 'Cluster +a');

  const third = connect('third-0');
  assert.equal((await third.ended)?.code, status.RESOURCE_EXHAUSTED);
  assert.match(await refused(), /\{reason="streams"\} 1$/);

  first.close();
  await eventually('a stream has ended', () => service.statuses().length === 1);
  assert.equal(await connect('fourth-0').acknowledged(), 'Cluster +a');
});

test('a stream on which nothing comes is ended, one that has said who it is stays open', async (t) => {
  const { connect, open, refused } = await serve(t, { introductionMs: 200 });
  const known = connect('known-0');
  assert.equal(await known.acknowledged(), 'Cluster +a');
  const silent = open('silent-0');
  assert.equal((await silent.ended)?.code, status.DEADLINE_EXCEEDED);
  assert.match(await refused(), /\{reason="silent"\} 1$/m);
  assert.ok(await known.isSilent(), 'it is still served');
});
