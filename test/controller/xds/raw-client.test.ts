/** The delta protocol over real sockets, spoken by hand. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CLUSTER, type Snapshot } from '../../../controller/core/model.ts';
import { AdsClient, adsConnection } from '../../support/ads/ads-client.ts';
import { type AdsServer, nodeId, serveAds, UNENDING_MS } from '../../support/ads/ads-server.ts';
import { StalledClient } from '../../support/ads/stalled-client.ts';
import { TYPES, world } from '../../support/ads/worlds.ts';

/** Gives a pod this world, and tells the server that something has changed. */
function change({ source }: AdsServer, pod: string, lines: Parameters<typeof world>[0]): void {
  source.snapshots.set(pod, world(lines));
  source.dirty({ all: true });
}

describe('a delta client', () => {
  test('gets everything for an empty first request, changes for none after it, and silence for the same again', async (t) => {
    const ads = await serveAds(t);
    change(ads, 'cart-0', { CDS: 'a b' });
    const client = ads.client('cart-0');
    client.request('CDS');
    assert.equal(await client.acknowledged(), 'Cluster +a +b');
    client.request('CDS');
    change(ads, 'cart-0', { CDS: 'a b' });
    assert.ok(await client.isSilent());
    change(ads, 'cart-0', { CDS: 'a b@2 c' });
    assert.equal(await client.acknowledged(), 'Cluster +b +c');
  });

  test('gets names that it subscribes to until it unsubscribes, and hears of those that do not exist', async (t) => {
    const ads = await serveAds(t);
    change(ads, 'cart-0', { EDS: 'a b' });
    const client = ads.client('cart-0');
    client.request('EDS', { resource_names_subscribe: ['a', 'ghost'] });
    assert.equal(await client.acknowledged(), 'ClusterLoadAssignment -ghost');
    assert.equal(await client.acknowledged(), 'ClusterLoadAssignment +a');
    change(ads, 'cart-0', { EDS: 'a b ghost' });
    assert.equal(await client.acknowledged(), 'ClusterLoadAssignment +ghost');
    client.request('EDS', { resource_names_unsubscribe: ['a'] });
    change(ads, 'cart-0', { EDS: 'a@2 b@2 ghost' });
    assert.ok(await client.isSilent());
  });

  test('mixes the wildcard with names', async (t) => {
    const ads = await serveAds(t);
    change(ads, 'cart-0', { CDS: 'a b' });
    const client = ads.client('cart-0');
    client.request('CDS', { resource_names_subscribe: ['a'] });
    assert.equal(await client.acknowledged(), 'Cluster +a');
    client.request('CDS', { resource_names_subscribe: ['*'] });
    assert.equal(await client.acknowledged(), 'Cluster +b');
    client.request('CDS', { resource_names_unsubscribe: ['*'] });
    change(ads, 'cart-0', { CDS: 'a@2 b@2 c' });
    assert.equal(await client.acknowledged(), 'Cluster +a');
  });

  test('that reconnects with versions gets what changed, endpoints again, and hears last what is gone', async (t) => {
    const ads = await serveAds(t);
    change(ads, 'cart-0', { CDS: 'same changed@2', EDS: 'same changed', LDS: 'l>rds:80', RDS: '80>same' });
    const client = ads.client('cart-0');
    const holds = (...names: string[]) => ({
      initial_resource_versions: Object.fromEntries(names.map((name) => [name, '1'])),
    });
    client.request('CDS', holds('same', 'changed', 'gone'));
    assert.equal(await client.acknowledged(), 'Cluster +changed');
    assert.equal(await client.acknowledged(), 'ClusterLoadAssignment +changed');
    client.request('EDS', { resource_names_subscribe: ['same', 'gone'], ...holds('same', 'gone') });
    assert.equal(await client.acknowledged(), 'ClusterLoadAssignment -gone');
    assert.equal(await client.acknowledged(), 'ClusterLoadAssignment +same');
    client.request('LDS', holds('l'));
    assert.equal(await client.acknowledged(), 'Listener');
    client.request('RDS', { resource_names_subscribe: ['80'], initial_resource_versions: { 80: 'to-gone' } });
    assert.equal(await client.acknowledged(), 'RouteConfiguration +80');
    assert.equal(await client.acknowledged(), 'Cluster -gone');
  });

  test('that rejects one resource gets the others, and disturbs nobody', async (t) => {
    const ads = await serveAds(t);
    for (const pod of ['cart-0', 'pay-0']) change(ads, pod, { CDS: 'a bad' });
    const [client, other] = [ads.client('cart-0'), ads.client('pay-0')];
    client.request('CDS');
    for (const isBad of [true, false, true]) {
      const { nonce } = await client.response();
      client.request('CDS', { response_nonce: nonce, ...(isBad && { error_detail: { code: 13, message: 'bad' } }) });
    }
    other.request('CDS');
    assert.equal(await other.acknowledged(), 'Cluster +a +bad');
    assert.ok(await client.isSilent());
    const rejected = ads.service.statuses().map(({ node, rejected }) => [node.pod, rejected?.resources]);
    assert.deepEqual(rejected, [
      ['cart-0', ['bad']],
      ['pay-0', undefined],
    ]);
    assert.match(await ads.metric('lazyscope_xds_nack_total'), /type="Cluster"} 2$/m);
  });

  test('finds in every resource the type of its response, and a name', async (t) => {
    const ads = await serveAds(t);
    change(ads, 'cart-0', { CDS: 'a', EDS: 'a', LDS: 'l>rds:80', RDS: '80>a' });
    const client = ads.client('cart-0');
    client.request('CDS');
    client.request('LDS');
    client.request('RDS', { resource_names_subscribe: ['80', 'ghost'] });
    const seen = new Set<string>();
    while (seen.size < 4) {
      const { type_url, nonce, resources } = await client.response();
      seen.add(type_url);
      for (const { name, resource } of resources) assert.deepEqual([resource.type_url, name !== ''], [type_url, true]);
      client.send({ type_url, response_nonce: nonce });
    }
    assert.deepEqual([...seen].sort(), Object.values(TYPES).sort());
  });
});

describe('a connection', () => {
  test('carries several streams, each by itself', async (t) => {
    const ads = await serveAds(t);
    const connection = adsConnection(ads.port);
    t.after(() => connection.close());
    const pods = ['cart-0', 'pay-0', 'web-0'];
    for (const pod of pods) change(ads, pod, { CDS: pod });
    const streams = pods.map((pod) => new AdsClient(connection, nodeId(pod)));
    for (const stream of streams) stream.request('CDS');
    for (const [index, stream] of streams.entries()) {
      assert.equal(await stream.acknowledged(), `Cluster +${pods[index]}`);
    }
    streams[0]?.close();
    await ads.source.hears('disconnected cart-0');
    change(ads, 'pay-0', { CDS: 'pay-0 more' });
    assert.equal(await streams[1]?.acknowledged(), 'Cluster +more');
    assert.equal(ads.service.statuses().length, 2);
  });

  test('that is told to go away (GOAWAY) is served until its streams end; the next server goes on with it', async (t) => {
    const first = await serveAds(t);
    change(first, 'cart-0', { CDS: 'a' });
    const client = first.client('cart-0');
    client.request('CDS');
    assert.equal(await client.acknowledged(), 'Cluster +a');
    const shutDown = first.server.close(UNENDING_MS);
    change(first, 'cart-0', { CDS: 'a b' });
    assert.equal(await client.acknowledged(), 'Cluster +b');
    first.service.close();
    assert.equal(await client.ended, undefined);
    await shutDown;
    const second = await serveAds(t, first.port);
    change(second, 'cart-0', { CDS: 'a b c' });
    const again = second.client('cart-0');
    again.request('CDS', { initial_resource_versions: { a: '1', b: '1' } });
    assert.equal(await again.acknowledged(), 'Cluster +c');
  });
});

describe('a slow client', () => {
  const big = (version: number): Snapshot => ({
    ...world({}),
    [CLUSTER]: new Map([
      ['big', { type: CLUSTER, name: 'big', version: `${version}`, bytes: new Uint8Array(1024 * 1024) }],
    ]),
  });

  test('costs one response while it does not read, and then gets the newest state, not all between', async (t) => {
    const ads = await serveAds(t);
    ads.source.snapshots.set('slow-0', big(0));
    const slow = new StalledClient(ads.port, nodeId('slow-0'));
    t.after(() => slow.close());
    slow.request('CDS');
    await ads.source.hears('asked slow-0');
    for (let version = 1; version <= 50; version += 1) {
      ads.source.snapshots.set('slow-0', big(version));
      ads.source.dirty({ all: true });
      // Something that the server does after it has turned to this client.
      const other = ads.client('cart-0');
      change(ads, 'cart-0', { CDS: 'a' });
      other.request('CDS');
      await other.acknowledged();
      other.close();
    }
    assert.match(await ads.metric('lazyscope_xds_push_bytes_total'), /type="Cluster"} 1048576$/m);
    const versions = await new Promise<string[]>((resolve) => {
      const read: string[] = [];
      slow.read(({ nonce, resources }) => {
        read.push(...resources.map(({ version }) => version));
        slow.request('CDS', { response_nonce: nonce });
        if (read.length === 2) resolve(read);
      });
    });
    assert.deepEqual(versions, ['0', '50']);
  });

  test('that never acknowledges keeps nobody waiting', async (t) => {
    const ads = await serveAds(t);
    for (const pod of ['mute-0', 'cart-0']) change(ads, pod, { CDS: 'c0' });
    const [mute, client] = [ads.client('mute-0'), ads.client('cart-0')];
    mute.request('CDS');
    client.request('CDS');
    await mute.response();
    assert.equal(await client.acknowledged(), 'Cluster +c0');
    for (let version = 2; version <= 21; version += 1) {
      for (const pod of ['mute-0', 'cart-0']) change(ads, pod, { CDS: `c0@${version}` });
      assert.equal(await client.acknowledged(), 'Cluster +c0');
    }
    assert.match(await ads.metric('lazyscope_xds_push_total'), /type="Cluster"} 22$/m);
  });
});
