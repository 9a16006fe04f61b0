/** The ADS shell over real gRPC. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { CLUSTER, type Snapshot } from '../../../controller/core/model.ts';
import { createGrpcServer, type GrpcServer } from '../../../controller/wire/grpc-server.ts';
import { encode } from '../../../controller/wire/messages.ts';
import { type AdsService, createAdsService } from '../../../controller/xds/server.ts';
import { AdsClient } from '../../support/ads/ads-client.ts';
import { UNENDING_MS } from '../../support/ads/ads-server.ts';
import { MeshSource } from '../../support/ads/mesh-source.ts';
import { StalledClient } from '../../support/ads/stalled-client.ts';
import { world } from '../../support/ads/worlds.ts';

const node = (pod: string, kind = 'sidecar') => `${kind}~10.0.0.1~${pod}.shop~shop.svc.cluster.local`;

let source: MeshSource;
let service: AdsService;
let server: GrpcServer;
let registry: Registry;
let port: number;
let clients: { close(): void }[];
let fatal: unknown[];

beforeEach(async () => {
  source = new MeshSource();
  registry = new Registry();
  fatal = [];
  const logger = pino({ level: 'error' }, { write: (text: string) => fatal.push(text) });
  service = createAdsService({ source, now: Date.now, logger, metrics: registry });
  server = createGrpcServer({ discovery: service.handlers });
  ({ port } = await server.listen({ address: '127.0.0.1', port: 0 }));
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  await server.close(0);
  assert.deepEqual(fatal, []);
});

function client(pod: string, kind?: string): AdsClient {
  const created = new AdsClient(port, node(pod, kind));
  clients.push(created);
  return created;
}

async function metric(name: string): Promise<string> {
  return (await registry.getSingleMetricAsString(name)).split('\n').slice(2).join('\n');
}

describe('the ADS server', () => {
  test('serves clusters, their endpoints and then listeners, and tells who is warm', async () => {
    source.snapshots.set('cart-0', world({ CDS: 'a', EDS: 'a', LDS: 'l' }));
    const envoy = client('cart-0');
    envoy.request('CDS');
    envoy.request('LDS');
    assert.equal(await envoy.acknowledged(), 'Cluster +a');
    assert.equal(await envoy.acknowledged(), 'ClusterLoadAssignment +a');
    assert.equal(await envoy.acknowledged(), 'Listener +l');
    await source.hears('warmed cart-0 a');
    assert.equal(source.told[0], 'connected cart-0');
  });

  test('carries the very bytes, type and version of a resource', async () => {
    const bytes = encode(CLUSTER, { name: 'a', connect_timeout: '5s' });
    const snapshot: Snapshot = {
      ...world({}),
      [CLUSTER]: new Map([['a', { type: CLUSTER, name: 'a', version: 'v1', bytes }]]),
    };
    source.snapshots.set('cart-0', snapshot);
    const envoy = client('cart-0');
    envoy.request('CDS');
    const { type_url, resources } = await envoy.response();
    assert.equal(type_url, CLUSTER);
    assert.deepEqual(
      resources.map(({ name, version, resource }) => [name, version, resource.type_url, Buffer.from(resource.value)]),
      [['a', 'v1', CLUSTER, Buffer.from(bytes)]],
    );
  });

  test('answers nothing while the source knows nothing, and all that was asked once it does', async () => {
    const envoy = client('cart-0');
    envoy.request('CDS');
    envoy.request('EDS', { resource_names_subscribe: ['a'] });
    await source.hears('asked cart-0');
    source.snapshots.set('cart-0', world({ CDS: 'a', EDS: 'a' }));
    source.dirty({ all: true });
    assert.equal(await envoy.acknowledged(), 'ClusterLoadAssignment +a');
    assert.equal(await envoy.acknowledged(), 'Cluster +a');
  });

  test('asks for the snapshots of dirty clients only', async () => {
    for (const pod of ['cart-0', 'pay-0', 'egress-0']) source.snapshots.set(pod, world({ CDS: 'a' }));
    const [cart, pay, egress] = [client('cart-0'), client('pay-0'), client('egress-0', 'egress')];
    for (const each of [cart, pay, egress]) {
      each.request('CDS');
      assert.equal(await each.acknowledged(), 'Cluster +a');
    }
    for (const pod of ['cart-0', 'pay-0', 'egress-0']) await source.hears(`warmed ${pod} a`);
    for (const pod of ['cart-0', 'pay-0', 'egress-0']) source.snapshots.set(pod, world({ CDS: 'a b' }));
    source.told.length = 0;
    source.dirty({ workloads: new Set(['shop/Pod/cart-0']) });
    assert.equal(await cart.acknowledged(), 'Cluster +b');
    source.dirty({ egress: true });
    assert.equal(await egress.acknowledged(), 'Cluster +b');
    assert.ok(!source.told.includes('asked pay-0'));
  });

  test('tells what a reconnecting client holds before it asks for its snapshot, and listeners when they are told', async () => {
    source.snapshots.set('cart-0', world({ CDS: 'a', LDS: 'l' }));
    const envoy = client('cart-0');
    envoy.request('CDS', { initial_resource_versions: { a: '1', seed: '7' } });
    assert.equal(await envoy.acknowledged(), 'Cluster');
    envoy.request('LDS', { initial_resource_versions: { l: '1' } });
    assert.equal(await envoy.acknowledged(), 'Listener');
    assert.deepEqual(
      source.held.map(({ clusters, listeners }) => [[...clusters], [...listeners]]),
      [
        [
          [
            ['a', '1'],
            ['seed', '7'],
          ],
          [],
        ],
        [
          [
            ['a', '1'],
            ['seed', '7'],
          ],
          [['l', '1']],
        ],
      ],
    );
    assert.deepEqual(source.told.slice(0, 2), ['connected cart-0', 'asked cart-0']);
  });

  test('refuses a node id that it cannot read, naming the field', async () => {
    const envoy = new AdsClient(port, 'sidecar~cart~cart-0.shop~shop.svc.cluster.local');
    clients.push(envoy);
    envoy.request('CDS');
    const error = await envoy.ended;
    assert.equal(error?.code, status.INVALID_ARGUMENT);
    assert.match(error?.details ?? '', /node\.id .*"cart" where an IP address belongs/);
    assert.match(await metric('lazyscope_xds_refused_total'), /reason="node address"} 1/);
    assert.deepEqual(service.statuses(), []);
  });

  test('ignores a type that it does not serve', async () => {
    source.snapshots.set('cart-0', world({ CDS: 'a' }));
    const envoy = client('cart-0');
    envoy.request('other', { resource_names_subscribe: ['x'] });
    envoy.request('CDS');
    assert.equal(await envoy.acknowledged(), 'Cluster +a');
  });

  test('shows what a client rejects, and counts pushes and NACKs', async () => {
    source.snapshots.set('cart-0', world({ CDS: 'bad' }));
    const envoy = client('cart-0');
    envoy.request('CDS');
    const { nonce } = await envoy.response();
    envoy.request('CDS', { response_nonce: nonce, error_detail: { code: 13, message: 'no such thing' } });
    source.snapshots.set('cart-0', world({ CDS: 'bad good' }));
    source.dirty({ all: true });
    assert.equal(await envoy.acknowledged(), 'Cluster +good');
    assert.deepEqual(service.statuses()[0]?.rejected, { type: CLUSTER, resources: ['bad'], message: 'no such thing' });
    assert.match(await metric('lazyscope_xds_nack_total'), /type="Cluster"} 1/);
    assert.match(await metric('lazyscope_xds_push_total'), /type="Cluster"} 2/);
    assert.match(await metric('lazyscope_xds_clients'), / 1$/);
  });

  test('a client that does not read costs one response and delays no other', async () => {
    const bytes = new Uint8Array(16 * 1024 * 1024);
    const big = new Map([['big', { type: CLUSTER, name: 'big', version: '1', bytes }]]);
    source.snapshots.set('slow-0', { ...world({}), [CLUSTER]: big });
    source.snapshots.set('cart-0', world({ CDS: 'a' }));
    const slow = new StalledClient(port, node('slow-0'));
    clients.push(slow);
    slow.request('CDS');
    await source.hears('asked slow-0');
    const envoy = client('cart-0');
    envoy.request('CDS');
    assert.equal(await envoy.acknowledged(), 'Cluster +a');
    for (let index = 0; index < 20; index += 1) {
      slow.request('EDS', { resource_names_subscribe: [`ghost-${index}`] });
      envoy.request('LDS', { resource_names_subscribe: [`ghost-${index}`] });
      assert.equal(await envoy.acknowledged(), `Listener -ghost-${index}`);
    }
    slow.request('LDS', { initial_resource_versions: { l: '1' } });
    await source.hears('connected slow-0', 2);
    assert.match(await metric('lazyscope_xds_push_total'), /type="ClusterLoadAssignment"} [01]$/m);
  });

  test('tells once that a client is gone, and forgets it', async () => {
    source.snapshots.set('cart-0', world({ CDS: 'a' }));
    const envoy = client('cart-0');
    envoy.request('CDS');
    await envoy.acknowledged();
    assert.equal(service.statuses().length, 1);
    envoy.close();
    await source.hears('disconnected cart-0');
    assert.deepEqual(service.statuses(), []);
    assert.equal(source.told.filter((message) => message === 'disconnected cart-0').length, 1);
  });

  test('ends all streams on close, so that the server can shut down', async () => {
    source.snapshots.set('cart-0', world({ CDS: 'a' }));
    const envoy = client('cart-0');
    envoy.request('CDS');
    await envoy.acknowledged();
    service.close();
    await server.close(UNENDING_MS);
    assert.ok(source.told.includes('disconnected cart-0'));
  });
});
