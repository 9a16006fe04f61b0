/**
 * Controller and egress killed with -9 at random moments, while workloads keep learning. The seed of the moments is
 * printed; `KILLS_SEED` repeats them.
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { clusterOf } from '../support/bed/api-client.ts';
import { podObject } from '../support/bed/kubernetes-objects.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import {
  BANNER_PORT,
  CART_AND_DATABASE,
  HTTP_PORT,
  learnCartAndDatabase,
  peerOfCart,
} from '../support/cart-and-database.ts';
import { eventually } from '../support/eventually.ts';
import { EdgeWitness } from './edge-witness.ts';

const SEED = Number(process.env['KILLS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const KILLS = 20;
/** Past a start, which takes about a second on an idle machine. */
const LATEST_MS = 1_600;
const GREETING = '220 ready\r\n';

const newServices = Array.from({ length: 40 }, (_, index) => `new-${index}`);
const callers = Array.from({ length: 60 }, (_, index) => `caller-${index}`);
const LEARNED = [clusterOf('cart', HTTP_PORT), clusterOf('database', BANNER_PORT)];

let mesh: SmallMesh;
let hammer: App<'hammer'>;
let tcp: App<'tcp-client'>;
let learners: App<'learners'>;
let witness: EdgeWitness;

before(async () => {
  const services = Object.fromEntries(newServices.map((name) => [name, { ports: { http: HTTP_PORT } }]));
  mesh = await SmallMesh.start({ services: { ...CART_AND_DATABASE, ...services } });
  const addresses = callers.map((_, index) => mesh.bed.network.address((2 << 8) + index));
  const pods = callers.map((deployment, index) =>
    podObject({
      name: `${deployment}-0`,
      namespace: 'shop',
      deployment,
      address: addresses[index] ?? '',
      mode: undefined,
    }),
  );
  mesh.folder.write('callers.yaml', pods);
  const crowdPod = mesh.bed.pod('crowd-0', { interception: 'none' });
  await (await loadApp(crowdPod, 'crowd')).call('addAddresses', addresses);
  learners = await loadApp(crowdPod, 'learners');

  const http = await learnCartAndDatabase(mesh);
  await eventually('cart is called directly', async () => (await peerOfCart(mesh, http)) === mesh.client.address);
  hammer = await loadApp(mesh.client, 'hammer');
  tcp = await loadApp(mesh.client, 'tcp-client');
  await tcp.call('openLine', 'long', mesh.service('database'), GREETING.length);
  await hammer.call('startHammer', 'cart', { ...mesh.service('cart'), connections: 2 });
  await learners.call(
    'startLearning',
    addresses,
    mesh.egress.listen,
    newServices.map((name) => mesh.service(name)),
  );
  witness = new EdgeWitness(mesh.controller);
  await eventually('edges are learned', () => witness.shown > callers.length / 4);
});
after(() => mesh.destroy());

/** Random moments, the same for the same seed. */
function moments(t: TestContext, count: number, latestMs: number): readonly number[] {
  t.diagnostic(`seed ${SEED}`);
  const moment = fc.integer({ min: 0, max: latestMs });
  return fc.sample(fc.array(moment, { minLength: count, maxLength: count }), { seed: SEED, numRuns: 1 })[0] ?? [];
}

/** What is learned is called directly, by nobody else and without a failure, and the sidecar has kept it. */
async function assertLearnedPathsUntouched(): Promise<void> {
  const { total, failures, peers } = await hammer.call('countHammer', 'cart');
  assert.deepEqual(failures, [], `${failures.length} of ${total} requests failed`);
  assert.deepEqual(Object.keys(peers), [mesh.client.address]);
  assert.equal(await tcp.call('echoLine', 'long', 'still here'), 'still here');
  const { admin } = mesh.client.envoy;
  const clusters = await admin.clusters();
  for (const cluster of LEARNED) assert.ok(clusters.includes(cluster), `the sidecar has lost ${cluster}`);
  assert.equal(await admin.stat('cluster_manager.cluster_removed'), 0);
  const rejected = [...(await admin.stats(/\.update_rejected$/))].filter(([, count]) => count > 0);
  assert.deepEqual(rejected, [], 'the sidecar takes everything that it is sent');
}

test(`kill -9 of the controller at ${KILLS} random moments loses no edge and fails no request`, async (t) => {
  const before = witness.shown;
  for (const moment of moments(t, KILLS, LATEST_MS)) {
    await delay(moment);
    await mesh.controller.kill();
    await witness.assertStored();
    mesh.controller.launch();
  }
  await witness.assertShownAgain();
  await assertLearnedPathsUntouched();
  const { answered, failures } = await learners.call('countLearned');
  assert.deepEqual(failures, [], 'first requests cross the egress while the controller is away');
  assert.ok(answered > KILLS, `${answered} calls were made meanwhile`);
  assert.ok(witness.shown > before, 'new edges were learned between the kills');
});

test('kill -9 of the egress, alone and with the controller, loses no edge that was published', async (t) => {
  for (const [index, moment] of moments(t, 2, 300).entries()) {
    const withController = index === 1;
    await delay(moment);
    if (withController) await mesh.controller.kill();
    await mesh.egress.kill();
    if (withController) {
      await witness.assertStored();
      mesh.controller.launch();
    }
    await mesh.egress.start();
    await mesh.egress.ready();
    await learners.call('countLearned');
    await eventually('the egress serves again', async () => (await learners.call('countLearned')).answered > 0);
  }
  const { failures } = await learners.call('countLearned');
  assert.deepEqual(failures, []);
  await witness.assertPublishedAgain();
  await assertLearnedPathsUntouched();
});

test('the sidecar learns on after all kills', async () => {
  await learners.call('stopLearning');
  const [name = ''] = newServices;
  const { address, port, host } = mesh.service(name);
  await hammer.call('startHammer', name, { address, port, host });
  await mesh.learned(name);
  await eventually('calls go direct', async () => {
    return ((await hammer.call('countHammer', name)).peers[mesh.client.address] ?? 0) > 0;
  });
  for (const one of ['cart', name]) assert.deepEqual((await hammer.call('stopHammer', one)).failures, []);
  await witness.stop();
});
