/** Two clients with one node id: a hot restart, a connection that died unnoticed, or a bootstrap that was copied. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AdsClient } from '../../support/ads/ads-client.ts';
import { type AdsServer, nodeId, serveAds } from '../../support/ads/ads-server.ts';
import { world } from '../../support/ads/worlds.ts';

/** A port that leads to another, as from another host. */
async function elsewhere(t: TestContext, port: number, localAddress: string): Promise<number> {
  const server = createServer((socket) => {
    const onward = connect({ host: '127.0.0.1', port, localAddress });
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  t.after(() => server.close());
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (typeof address === 'object' && address) resolve(address.port);
      else reject(new Error('no port'));
    });
  });
}

function change({ source }: AdsServer, lines: Parameters<typeof world>[0]): void {
  source.snapshots.set('cart-0', world(lines));
  source.dirty({ all: true });
}

/** Two that hold cluster `a`. */
async function twins(t: TestContext, ads: AdsServer, secondPort = ads.port): Promise<readonly [AdsClient, AdsClient]> {
  change(ads, { CDS: 'a' });
  const first = ads.client('cart-0');
  first.request('CDS');
  assert.equal(await first.acknowledged(), 'Cluster +a');
  const second = new AdsClient(secondPort, nodeId('cart-0'));
  t.after(() => second.close());
  second.request('CDS');
  assert.equal(await second.acknowledged(), 'Cluster +a');
  return [first, second];
}

test('both are served, and what the one rejects or leaves unanswered is nothing to the other', async (t) => {
  const ads = await serveAds(t);
  const [old, fresh] = await twins(t, ads);
  change(ads, { CDS: 'a b' });
  const { nonce } = await old.response();
  old.request('CDS', { response_nonce: nonce, error_detail: { code: 13, message: 'not b' } });
  assert.equal(await fresh.acknowledged(), 'Cluster +b');
  change(ads, { CDS: 'a b c' });
  await old.response();
  assert.equal(await fresh.acknowledged(), 'Cluster +c');
  change(ads, { CDS: 'a b c d' });
  assert.equal(await fresh.acknowledged(), 'Cluster +d');
  const statuses = ads.service.statuses().map(({ stream, rejected }) => [stream, rejected?.resources]);
  assert.deepEqual(statuses, [
    [1, ['b']],
    [2, undefined],
  ]);
});

test('the one leaves, and the other stays: it is told who left', async (t) => {
  const ads = await serveAds(t);
  const [old, fresh] = await twins(t, ads);
  assert.match(await ads.metric('lazyscope_xds_clients_sharing_node'), / 2$/);
  old.close();
  await ads.source.hears('disconnected cart-0');
  change(ads, { CDS: 'a b' });
  assert.equal(await fresh.acknowledged(), 'Cluster +b');
  assert.deepEqual(
    ads.service.statuses().map(({ stream }) => stream),
    [2],
  );
  assert.match(await ads.metric('lazyscope_xds_clients_sharing_node'), / 0$/);
});

test('from one address it is normal for a while, and no problem', async (t) => {
  const ads = await serveAds(t);
  await twins(t, ads);
  assert.deepEqual(ads.problems, []);
});

test('from two addresses it is named: which id, where, whom both are taken for, what to do', async (t) => {
  const ads = await serveAds(t);
  const [, fresh] = await twins(t, ads, await elsewhere(t, ads.port, '127.0.0.2'));
  assert.deepEqual(ads.problems, [
    {
      subject: `xDS client ${nodeId('cart-0')}`,
      reason:
        'node.id is used by clients at 127.0.0.1, 127.0.0.2 at the same time; all are served as pod shop/cart-0; ' +
        'give each a node.id of its own (was a bootstrap copied?)',
    },
  ]);
  change(ads, { CDS: 'a b' });
  assert.equal(await fresh.acknowledged(), 'Cluster +b');
});
