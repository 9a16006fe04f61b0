import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT } from '../../controller/core/model.ts';
import { TableClient } from '../../egress/table.ts';
import {
  assignment,
  cluster,
  clusterName,
  type FakeController,
  identity,
  startController,
} from './support/controller.ts';
import { REPORTER } from './support/relay.ts';
import { until } from './support/until.ts';

const WEB_ADDRESS = { address: '10.96.0.1', port: 80 };
const ENDPOINT = { address: '10.0.0.1', port: 8080 };

interface Following {
  readonly controller: FakeController;
  readonly table: TableClient;
  readonly rejected: string[];
}

async function following(t: TestContext, asksEndpoints = true): Promise<Following> {
  const controller = await startController(t);
  const rejected: string[] = [];
  const table = new TableClient({
    client: controller.client(t),
    nodeId: REPORTER,
    asksEndpoints,
    isNeverRelayed: ({ address }) => address.startsWith('127.'),
    onChange: () => {},
    onRejected: (resource, reason) => rejected.push(`${resource} ${reason}`),
  });
  table.start();
  t.after(() => table.stop());
  return { controller, table, rejected };
}

test('asks for all clusters, then for the endpoints of those that have any', async (t) => {
  const { controller, table } = await following(t);
  const stream = await controller.adsStream(0);
  await until(() => stream.requests.length === 1);
  const [first] = stream.requests;
  assert.deepEqual([first?.node?.id, first?.type_url], [REPORTER, CLUSTER]);
  assert.deepEqual([first?.resource_names_subscribe, first?.initial_resource_versions], [[], {}]);
  assert.equal(table.isLoaded, false);

  const nonce = controller.push(stream, CLUSTER, [cluster('web', '10.96.0.1'), cluster('headless', undefined)]);
  await until(() => stream.requests.length === 3);
  const [, ack, endpoints] = stream.requests;
  assert.deepEqual([ack?.type_url, ack?.response_nonce, ack?.error_detail], [CLUSTER, nonce, null]);
  assert.equal(endpoints?.type_url, CLUSTER_LOAD_ASSIGNMENT);
  assert.deepEqual(endpoints?.resource_names_subscribe, [clusterName('web')]);
  assert.equal(table.view.byAddress(WEB_ADDRESS)?.endpoints, undefined);
  assert.equal(table.isLoaded, false, 'without endpoints the table is not complete');

  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [ENDPOINT])]);
  await until(() => table.isLoaded);
  assert.deepEqual(table.view.byAddress(WEB_ADDRESS)?.endpoints, [ENDPOINT]);
  assert.equal(table.view.byHost('headless.test', 80)?.target.headless, true);
  assert.equal(table.size, 2);
});

test('follows changes and removals', async (t) => {
  const { controller, table } = await following(t);
  const stream = await controller.adsStream(0);
  controller.push(stream, CLUSTER, [cluster('web', '10.96.0.1')]);
  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [ENDPOINT])]);
  await until(() => table.isLoaded);
  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [], '2')]);
  await until(() => table.view.byAddress(WEB_ADDRESS)?.endpoints?.length === 0);
  controller.push(stream, CLUSTER, [cluster('web', '10.96.0.9', '2')]);
  await until(() => table.view.byAddress(WEB_ADDRESS) === undefined);
  controller.push(stream, CLUSTER, [], [clusterName('web')]);
  await until(() => table.size === 0);
  await until(() =>
    stream.requests.some((request) => request.resource_names_unsubscribe?.includes(clusterName('web'))),
  );
});

test('an endpoint that must not be dialled is left out', async (t) => {
  const { controller, table } = await following(t);
  const stream = await controller.adsStream(0);
  controller.push(stream, CLUSTER, [cluster('web', '10.96.0.1')]);
  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [{ address: '127.0.0.1', port: 1 }, ENDPOINT])]);
  await until(() => table.isLoaded);
  assert.deepEqual(table.view.byAddress(WEB_ADDRESS)?.endpoints, [ENDPOINT]);
});

test('refuses what it cannot read by name, and keeps the rest', async (t) => {
  const { controller, table, rejected } = await following(t);
  const stream = await controller.adsStream(0);
  const broken = [
    { name: 'no-metadata', version: '1', bytes: new Uint8Array() },
    { name: 'garbage', version: '1', bytes: Uint8Array.of(0xff, 0xff) },
  ];
  const nonce = controller.push(stream, CLUSTER, [...broken, cluster('web', '10.96.0.1')]);
  await until(() => stream.requests.length >= 2);
  const nack = stream.requests[1];
  assert.equal(nack?.response_nonce, nonce);
  assert.match(nack?.error_detail?.message ?? '', /no-metadata: .*; garbage: /);
  assert.equal(rejected.length, 2);
  assert.equal(table.view.byAddress(WEB_ADDRESS)?.target.service, 'test/web.test.svc.cluster.local');
});

test('keeps the last table while the controller is away, and says what it holds when it is back', async (t) => {
  const { controller, table } = await following(t);
  const stream = await controller.adsStream(0);
  controller.push(stream, CLUSTER, [cluster('web', '10.96.0.1', 'c7')]);
  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [ENDPOINT], 'e7')]);
  await until(() => table.isLoaded);
  controller.kill();
  await until(() => !table.isConnected);
  assert.deepEqual(table.view.byAddress(WEB_ADDRESS)?.endpoints, [ENDPOINT]);
  await controller.start();
  const again = await controller.adsStream(1);
  await until(() => again.requests.length === 2);
  const [clusters, endpoints] = again.requests;
  assert.equal(clusters?.node?.id, REPORTER);
  assert.deepEqual(clusters?.initial_resource_versions, { [clusterName('web')]: 'c7' });
  assert.deepEqual(endpoints?.initial_resource_versions, { [clusterName('web')]: 'e7' });
  assert.deepEqual(endpoints?.resource_names_subscribe, [clusterName('web')]);
  assert.deepEqual(table.view.byAddress(WEB_ADDRESS)?.endpoints, [ENDPOINT]);
});

test('a stream that the controller ends is opened again', async (t) => {
  const { controller } = await following(t);
  (await controller.adsStream(0)).call.end();
  await controller.adsStream(1);
});

test('where the own sidecar knows the endpoints, services alone are a complete table', async (t) => {
  const { controller, table } = await following(t, false);
  const stream = await controller.adsStream(0);
  controller.push(stream, CLUSTER, [cluster('web', '10.96.0.1')]);
  await until(() => table.isLoaded);
  await until(() => stream.requests.length === 2);
  assert.deepEqual(
    stream.requests.map(({ type_url }) => type_url),
    [CLUSTER, CLUSTER],
  );
});

const CART = { namespace: 'shop', serviceAccount: 'cart', addresses: ['10.0.0.1', 'fd00::0:1'] };
const WEB = { namespace: 'shop', serviceAccount: 'web', addresses: ['10.0.0.1'] };

test('knows who has an address, both while one pod replaces another, and nobody once they are gone', async (t) => {
  const { controller, table } = await following(t, false);
  const stream = await controller.adsStream(0);
  const owners = (address: string): readonly string[] => table.currentIdentities.of(address);
  controller.push(stream, CLUSTER, [identity(CART), cluster('web', '10.96.0.1')]);
  await until(() => table.isLoaded);
  assert.equal(table.size, 1, 'identities are no services');
  assert.deepEqual(
    [owners('10.0.0.1'), owners('fd00::1'), owners('10.0.0.2')],
    [['ns/shop/sa/cart'], ['ns/shop/sa/cart'], []],
  );
  controller.push(stream, CLUSTER, [identity(WEB)]);
  await until(() => owners('10.0.0.1').length === 2);
  controller.push(stream, CLUSTER, [identity({ ...CART, addresses: ['10.0.0.3'] }, '2')]);
  await until(() => owners('10.0.0.1').length === 1);
  assert.deepEqual([owners('10.0.0.1'), owners('10.0.0.3')], [['ns/shop/sa/web'], ['ns/shop/sa/cart']]);
  controller.push(stream, CLUSTER, [], ['identity|shop|cart', 'identity|shop|web']);
  await until(() => owners('10.0.0.1').length === 0);
  assert.deepEqual(owners('10.0.0.3'), []);
});

test('who had an address is no verdict while the controller is away, until it has answered again', async (t) => {
  const { controller, table } = await following(t, false);
  controller.push(await controller.adsStream(0), CLUSTER, [identity(CART)]);
  await until(() => table.currentIdentities.of('10.0.0.1').length > 0);
  controller.kill();
  await until(() => !table.isConnected);
  assert.deepEqual(table.currentIdentities.of('10.0.0.1'), []);
  assert.deepEqual(table.identities.of('10.0.0.1'), ['ns/shop/sa/cart'], 'as last told');
  await controller.start();
  const again = await controller.adsStream(1);
  await until(() => again.requests.length > 0);
  assert.deepEqual(table.currentIdentities.of('10.0.0.1'), []);
  controller.push(again, CLUSTER, []);
  await until(() => table.currentIdentities.of('10.0.0.1').length > 0);
});

test('refuses an identity that it cannot read, by field', async (t) => {
  const { controller, rejected } = await following(t, false);
  const stream = await controller.adsStream(0);
  const broken = identity({ ...CART, addresses: '10.0.0.1' as unknown as string[] });
  controller.push(stream, CLUSTER, [broken]);
  await until(() => rejected.length > 0);
  assert.match(
    rejected[0] ?? '',
    /^identity\|shop\|cart metadata "lazyscope.io\/identity" field "addresses" must be a list/,
  );
});

test('a port of which nothing is declared is read like any other', async (t) => {
  const { controller, table } = await following(t, false);
  const auto = cluster('auto', '10.96.0.1', '1', 'Auto');
  controller.push(await controller.adsStream(0), CLUSTER, [auto]);
  await until(() => table.isLoaded);
  assert.equal(table.view.byAddress(WEB_ADDRESS)?.target.protocol, 'Auto');
  assert.equal(table.view.isHttpPort(80), false);
});
