/** Clients that send what no Envoy sends, or too much of it: named, counted, bounded, and nobody else notices. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, type TestContext, test } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MAX_NAME_LENGTH, MAX_NAMES } from '../../../controller/core/delta/limits.ts';
import { AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { AdsClient } from '../../support/ads/ads-client.ts';
import { type AdsServer, nodeId, serveAds } from '../../support/ads/ads-server.ts';
import { world } from '../../support/ads/worlds.ts';
import { eventually } from '../../support/eventually.ts';

/** A server with one good client, which is served before and after. */
async function withNeighbour(t: TestContext, hostile: (ads: AdsServer) => Promise<void>): Promise<void> {
  const ads = await serveAds(t);
  ads.source.snapshots.set('good-0', world({ CDS: 'a' }));
  const good = ads.client('good-0');
  good.request('CDS');
  assert.equal(await good.acknowledged(), 'Cluster +a');
  await hostile(ads);
  ads.source.snapshots.set('good-0', world({ CDS: 'a b' }));
  ads.source.dirty({ all: true });
  assert.equal(await good.acknowledged(), 'Cluster +b');
}

const NAMES = Array.from({ length: MAX_NAMES }, (_, index) => `c${index}`);

describe('a stream', () => {
  const refusals: readonly { title: string; message: object; code: status; reason: string; details: RegExp }[] = [
    {
      title: 'with more names than any mesh has, in one request',
      message: { type_url: 'EDS', resource_names_subscribe: [...NAMES, 'one-more'] },
      code: status.RESOURCE_EXHAUSTED,
      reason: 'names',
      details: /^more than 100000 .*ClusterLoadAssignment names are subscribed$/,
    },
    {
      title: 'with a name of any length',
      message: { type_url: 'EDS', resource_names_subscribe: ['x'.repeat(4 * 1024 * 1024)] },
      code: status.RESOURCE_EXHAUSTED,
      reason: 'names',
      details: new RegExp(`more than ${MAX_NAME_LENGTH} characters$`),
    },
    {
      title: 'that says it holds a version of any length',
      message: { type_url: 'CDS', initial_resource_versions: { a: 'x'.repeat(1024 * 1024) } },
      code: status.RESOURCE_EXHAUSTED,
      reason: 'names',
      details: new RegExp(`more than ${MAX_NAME_LENGTH} characters$`),
    },
  ];
  for (const { title, message, code, reason, details } of refusals) {
    test(`${title} is refused, named and counted`, (t) =>
      withNeighbour(t, async (ads) => {
        const client = ads.client('cart-0');
        const { type_url, ...fields } = message as { type_url: 'EDS' | 'CDS' };
        client.request(type_url, fields);
        const error = await client.ended;
        assert.equal(error?.code, code);
        assert.match(error?.details ?? '', details);
        assert.match(await ads.metric('lazyscope_xds_refused_total'), new RegExp(`reason="${reason}"} 1$`, 'm'));
        assert.equal(ads.service.statuses().length, 1);
      }));
  }

  for (const [title, id, field] of [
    ['without a node', '', 'kind'],
    ['with a node id of another kind', 'router~10.0.0.1~a.b~c', 'kind'],
    ['with a node id of a megabyte', `sidecar~10.0.0.1~${'x'.repeat(1024 * 1024)}.shop~shop.svc`, 'pod'],
  ] as const) {
    test(`${title} is refused, the field named and counted`, (t) =>
      withNeighbour(t, async (ads) => {
        const client = new AdsClient(ads.port, id);
        t.after(() => client.close());
        client.request('CDS');
        const error = await client.ended;
        assert.equal(error?.code, status.INVALID_ARGUMENT);
        assert.ok((error?.details.length ?? 0) < 1_000, 'the answer repeats the id');
        assert.match(await ads.metric('lazyscope_xds_refused_total'), new RegExp(`reason="node ${field}"} 1$`, 'm'));
      }));
  }

  test('of bytes that are no message is refused, named and counted', (t) =>
    withNeighbour(t, async (ads) => {
      const client = new Client(`127.0.0.1:${ads.port}`, credentials.createInsecure());
      t.after(() => client.close());
      const { path } = AggregatedDiscoveryService.DeltaAggregatedResources;
      const asIs = (bytes: Buffer): Buffer => bytes;
      const call = client.makeBidiStreamRequest(path, asIs, asIs);
      call.on('data', () => undefined);
      const ended = new Promise<ServiceError>((resolve) => call.on('error', resolve));
      call.write(Buffer.from('ffffffffffffffffffff01', 'hex'));
      const { code, details } = await ended;
      assert.equal(code, status.INVALID_ARGUMENT);
      assert.match(details, /^the request is no DeltaDiscoveryRequest: /);
      assert.match(await ads.metric('lazyscope_xds_refused_total'), /reason="message"} 1$/m);
      assert.equal(ads.service.statuses().length, 1);
    }));
});

describe('a request', () => {
  test('with 100,000 unknown names is answered by one response, and the stream goes on', (t) =>
    withNeighbour(t, async (ads) => {
      ads.source.snapshots.set('cart-0', world({ CDS: 'a' }));
      const client = ads.client('cart-0');
      client.request('EDS', { resource_names_subscribe: NAMES });
      const { removed_resources, nonce } = await client.response();
      assert.equal(removed_resources.length, MAX_NAMES);
      client.request('EDS', { response_nonce: nonce, resource_names_unsubscribe: NAMES });
      client.request('CDS');
      assert.equal(await client.acknowledged(), 'Cluster +a');
    }));

  test('of a type that is not served, even as the first, is ignored and counted ten times at most', (t) =>
    withNeighbour(t, async (ads) => {
      ads.source.snapshots.set('cart-0', world({ CDS: 'a' }));
      const client = ads.client('cart-0');
      for (const type_url of ['', 'x'.repeat(1024 * 1024), ...NAMES.slice(0, 50)]) client.send({ type_url });
      client.request('CDS');
      assert.equal(await client.acknowledged(), 'Cluster +a');
      await ads.source.hears('warmed cart-0 a');
      assert.ok(ads.source.told.includes('connected cart-0'), 'the client was never told of');
      assert.match(await ads.metric('lazyscope_xds_refused_total'), /reason="type"} 10$/m);
    }));

  test('later than the first cannot change who the client is', (t) =>
    withNeighbour(t, async (ads) => {
      ads.source.snapshots.set('cart-0', world({ CDS: 'a' }));
      const client = ads.client('cart-0');
      client.request('CDS');
      assert.equal(await client.acknowledged(), 'Cluster +a');
      client.request('EDS', { node: { id: nodeId('good-0') }, resource_names_subscribe: ['a'] });
      assert.equal(await client.acknowledged(), 'ClusterLoadAssignment -a');
      assert.deepEqual(
        ads.service
          .statuses()
          .map(({ node }) => node.pod)
          .sort(),
        ['cart-0', 'good-0'],
      );
    }));

  test('with nonces and names that mean something to a runtime means nothing to us', (t) =>
    withNeighbour(t, async (ads) => {
      ads.source.snapshots.set('cart-0', world({ CDS: 'a' }));
      const client = ads.client('cart-0');
      const names = ['__proto__', 'constructor', '', '*', '\u0000', 'toString'];
      client.request('EDS', { resource_names_subscribe: names, initial_resource_versions: { constructor: '1' } });
      const { removed_resources } = await client.response();
      assert.equal(removed_resources.length, names.length);
      for (const response_nonce of ['', '1-99999999999999999999', '1-NaN', '1-Infinity', '-1', '__proto__']) {
        client.request('EDS', { response_nonce });
      }
      client.request('CDS');
      assert.equal(await client.acknowledged(), 'Cluster +a');
    }));

  test('that rejects with a message of a megabyte is shown with its beginning', (t) =>
    withNeighbour(t, async (ads) => {
      ads.source.snapshots.set('cart-0', world({ CDS: 'bad' }));
      const client = ads.client('cart-0');
      client.request('CDS');
      const { nonce } = await client.response();
      const message = `Proto constraint ${'x'.repeat(1024 * 1024)}`;
      client.request('CDS', { response_nonce: nonce, error_detail: { code: 13, message } });
      assert.ok(await client.isSilent());
      const shown = ads.service.statuses().find(({ node }) => node.pod === 'cart-0')?.rejected?.message ?? '';
      assert.match(shown, /^Proto constraint x+…$/);
      assert.ok(shown.length <= 2_001);
    }));
});

describe('a client that connects again and again', () => {
  let before: number;
  beforeEach(() => {
    before = process.getActiveResourcesInfo().length;
  });
  afterEach(async () => {
    await eventually('nothing is left open', () => process.getActiveResourcesInfo().length <= before + 5);
  });

  test('leaves nothing behind: no stream, no status, no timer', (t) =>
    withNeighbour(t, async (ads) => {
      ads.source.snapshots.set('loop-0', world({ CDS: 'a', EDS: 'a' }));
      const times = 100;
      for (let time = 1; time <= times; time += 1) {
        const client = ads.client('loop-0');
        client.request('CDS', { initial_resource_versions: { old: '1' } });
        await client.response();
        client.close();
        await ads.source.hears('disconnected loop-0', time);
      }
      assert.equal(ads.source.told.filter((told) => told === 'connected loop-0').length, times);
      assert.deepEqual(
        ads.service.statuses().map(({ node }) => node.pod),
        ['good-0'],
      );
      assert.match(await ads.metric('lazyscope_xds_clients'), / 1$/);
      assert.match(await ads.metric('lazyscope_xds_clients_sharing_node'), / 0$/);
    }));
});
