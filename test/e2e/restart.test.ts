/** The controller goes away and comes back, with less than it had: no sidecar loses what it learned. */
import assert from 'node:assert/strict';
import { renameSync, truncateSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { clusterOf } from '../support/bed/api-client.ts';
import { SERVICES_FILE, SmallMesh } from '../support/bed/small-mesh.ts';
import {
  BANNER_PORT,
  CART_AND_DATABASE,
  HTTP_PORT,
  learnCartAndDatabase,
  peerOfCart,
} from '../support/cart-and-database.ts';
import { eventually } from '../support/eventually.ts';
import { proxyHeader } from '../support/proxy-header.ts';

const CART = clusterOf('cart', HTTP_PORT);
const LEARNED = [CART, clusterOf('database', BANNER_PORT)];

let mesh: SmallMesh;
let http: App<'http1-client'>;

before(async () => {
  mesh = await SmallMesh.start({
    services: CART_AND_DATABASE,
  });
  http = await learnCartAndDatabase(mesh);
  await eventually('cart is called directly', async () => (await peerOfCart(mesh, http)) === mesh.client.address);
});
after(() => mesh.destroy());

/** As a pod without a sidecar of its own would: what a sidecar sends for it. */
async function askEgressForCart(): Promise<string> {
  const cart = mesh.service('cart');
  const header = proxyHeader({ address: mesh.server.address, port: 40_000 }, cart);
  const request = Buffer.from(`GET /peer HTTP/1.1\r\nhost: ${cart.host}\r\n\r\n`);
  const client = await loadApp(mesh.server, 'raw-client');
  const sent = Buffer.concat([header, request]);
  return (await client.call('sendRaw', mesh.egress.listen, sent, 'HTTP/1.1 200'.length)).received;
}

async function connectedToController(): Promise<void> {
  await eventually('the sidecar is connected to the controller', async () => {
    return (await mesh.client.envoy.admin.stat('control_plane.connected_state')) === 1;
  });
}

/** Proves that what the sidecar holds now came from this run of the controller: a change reaches it. */
async function assertServedAndKept(): Promise<void> {
  const extra = mesh.bed.network.address(64 << 8);
  const { admin } = mesh.client.envoy;
  mesh.setEndpoints({ cart: [mesh.server.address, extra] });
  await eventually('a change reaches the sidecar', async () => (await admin.endpoints(CART)).length === 2);
  mesh.setEndpoints({ cart: [mesh.server.address] });
  await eventually('and is taken back', async () => (await admin.endpoints(CART)).length === 1);
  assert.deepEqual(await admin.clusters(), LEARNED);
  assert.equal(await peerOfCart(mesh, http), mesh.client.address);
}

/** Clusters and listeners that were ever taken from the sidecar. */
async function removals(): Promise<ReadonlyMap<string, number>> {
  const pattern = /^(cluster_manager\.cluster_removed|listener_manager\.listener_removed)$/;
  return mesh.client.envoy.admin.stats(pattern);
}

test('kill -9 of the controller loses no edge', async () => {
  const known = async (): Promise<readonly unknown[]> =>
    (await mesh.controller.api.edges()).map(({ to, firstSeen, origin }) => [to, firstSeen, origin]);
  const before = await known();
  assert.equal(before.length, 2);
  // Without an egress that would announce them again.
  await mesh.egress.kill();
  await mesh.controller.kill();

  await mesh.controller.start();

  assert.deepEqual(await known(), before);
  await mesh.egress.start();
  await assertServedAndKept();
});

test('Nothing is answered before the mesh is loaded', async () => {
  const { admin } = mesh.client.envoy;
  await mesh.controller.kill();
  await eventually('the sidecar notices', async () => (await admin.stat('control_plane.connected_state')) === 0);
  const hidden = `${mesh.folder.path}.hidden`;
  renameSync(mesh.folder.path, hidden);
  const updates = async (): Promise<ReadonlyMap<string, number>> => admin.stats(/(cds|lds)\.update_success$/);
  const before = await updates();

  mesh.controller.launch();
  await connectedToController();
  await eventually('the controller has been asked, and says what it waits for', async () => {
    const { problems, proxies, egresses } = await mesh.controller.api.status();
    return proxies === 1 && egresses === 1 && problems.some(({ subject }) => subject === mesh.folder.path);
  });
  assert.deepEqual(await updates(), before, 'the sidecar was told nothing');
  assert.equal(await peerOfCart(mesh, http), mesh.client.address);
  assert.match(await askEgressForCart(), /^HTTP\/1.1 200/, 'the egress keeps its routing table');

  renameSync(hidden, mesh.folder.path);
  await mesh.learned('cart');
  await assertServedAndKept();
});

test('A half-written file removes nothing', async () => {
  const services = mesh.servicesText();
  mesh.folder.writeText(SERVICES_FILE, services.slice(0, Math.floor(services.length * 0.6)).concat('\n  : [{'));
  await eventually('the broken file is named', async () => {
    const { problems } = await mesh.controller.api.status();
    return problems.some(({ subject }) => subject.includes(SERVICES_FILE));
  });
  assert.deepEqual(await mesh.client.envoy.admin.clusters(), LEARNED);
  assert.equal((await mesh.client.envoy.admin.endpoints(CART)).length, 1);
  assert.equal((await mesh.controller.api.status()).services, 2);

  mesh.folder.writeText(SERVICES_FILE, services);
  await assertServedAndKept();
});

test('A file that ends too early removes nothing, though what it still says counts', async () => {
  const { admin } = mesh.client.envoy;
  mesh.setEndpoints({ cart: [mesh.server.address, mesh.bed.network.address(64 << 8)] });
  const services = mesh.servicesText();
  const documents = services.split('---\n');
  mesh.folder.writeText(SERVICES_FILE, documents.slice(0, 2).join('---\n'));
  await eventually('the short file was read', async () => (await admin.endpoints(CART)).length === 2);
  assert.deepEqual(await admin.clusters(), LEARNED);
  assert.equal((await mesh.controller.api.status()).services, 2);

  mesh.folder.writeText(SERVICES_FILE, services);
  await assertServedAndKept();
});

test('SIGTERM ends the controller cleanly, and changes nothing in the mesh', async () => {
  const before = await removals();
  assert.equal(await mesh.controller.process.stop('SIGTERM'), 0);
  assert.equal(await peerOfCart(mesh, http), mesh.client.address);

  await mesh.controller.start();
  await assertServedAndKept();
  assert.deepEqual(await removals(), before);
});

test('With the store deleted under a running mesh, every connected sidecar keeps its learned clusters', async () => {
  const before = await removals();
  mesh.controller.deleteStore();
  await mesh.controller.kill();
  mesh.controller.deleteStore();

  await mesh.controller.start();
  await connectedToController();

  await eventually('what the sidecar holds is a seed', async () => {
    const edges = await mesh.controller.api.edges(mesh.client.workload);
    return edges.some(({ to, origin }) => to === mesh.service('cart').key && origin === 'Seed');
  });
  await assertServedAndKept();
  assert.deepEqual(await removals(), before);
});

/** Bytes that are left of the database; SQLite's pages have 4096. */
const CUTS = { 'to nothing': 0, 'after its first page': 4096, 'in its middle': 2 * 4096 };

/** How often the log says that the store was set aside. */
function timesSetAside(): number {
  return mesh.controller.process.log().match(/"reason":"[^"]*set aside as [^"]*","msg":"Skipped"/g)?.length ?? 0;
}

for (const [where, size] of Object.entries(CUTS)) {
  test(`With the store cut off ${where}, every connected sidecar keeps its learned clusters`, async () => {
    const before = await removals();
    const namedBefore = timesSetAside();
    // When it has ended in order, everything is in the database and nothing in its log.
    assert.equal(await mesh.controller.process.stop('SIGTERM'), 0);
    const stoppedAt = new Date();
    truncateSync(mesh.controller.storePath, size);

    await mesh.controller.start();
    assert.equal(timesSetAside(), namedBefore + 1, 'the log names the file that was set aside');
    await connectedToController();

    await eventually('what the sidecar holds is a seed, as nothing was known of it', async () => {
      const edges = await mesh.controller.api.edges(mesh.client.workload);
      const cart = edges.find(({ to }) => to === mesh.service('cart').key);
      return cart?.origin === 'Seed' && new Date(cart.firstSeen) > stoppedAt;
    });
    await assertServedAndKept();
    assert.deepEqual(await removals(), before);
  });
}
