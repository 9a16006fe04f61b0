/** The egress is lost for good: traffic finds another, and without any the mesh is as it was before. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { App } from '../../support/apps/load-app.ts';
import type { Pod } from '../../support/bed/pod.ts';
import { eventually } from '../../support/eventually.ts';
import { Calls } from '../bed/calls.ts';
import { IstioMesh } from '../bed/istio-mesh.ts';

const HTTP = 8080;
const SERVICES = 10;

let mesh: IstioMesh;
let server: Pod;
let client: Pod;
let calls: Calls;
let load: App<'load'>;

before(async () => {
  mesh = await IstioMesh.start({ egresses: 2 });
  await mesh.enforce('shop');
  server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP] });
  client = await mesh.lazyClient('client');
  load = await calls.app(client, 'load');
});
after(() => mesh.destroy());

/** The pod's own address with a foreign Host: what is never promoted, so that every request needs an egress. */
function relayedForEver() {
  return { name: 'relayed', address: server.address, port: HTTP, host: `${server.address}:${HTTP}` };
}

test('When one egress is killed, new connections go to the other as soon as its pod is known to be unready', async () => {
  const [first, second] = mesh.egresses;
  assert.ok(first && second);
  await load.call('startLoad', 'spread', { targets: [relayedForEver()], requestsPerSecond: 200, freshEvery: 1 });
  await eventually('both egresses are used', async () => {
    const { peers } = await load.call('countLoad', 'spread');
    return [first, second].every(({ pod }) => (peers['relayed']?.[pod.address] ?? 0) > 10);
  });
  await first.kill();
  await mesh.setEgressesReady([second]);
  const endpoints = async (): Promise<readonly string[]> =>
    mesh.admin(client).endpoints('outbound|15080||lazyscope-egress.lazyscope.svc.cluster.local');
  await eventually('the client knows', async () => (await endpoints()).join() === `${second.pod.address}:15080`);
  const { failures } = await load.call('stopLoad', 'spread');
  // Those made between the death and the news of it.
  assert.ok(failures.length < 200, `${failures.length} failed`);
  await load.call('startLoad', 'after', { targets: [relayedForEver()], requestsPerSecond: 200, freshEvery: 1 });
  await eventually('requests are answered', async () => (await load.call('countLoad', 'after')).total > 400);
  const { failures: later, peers } = await load.call('stopLoad', 'after');
  assert.deepEqual(later, []);
  assert.deepEqual(Object.keys(peers['relayed'] ?? {}), [second.pod.address]);
});

test('Without any egress the workloads are eager again within a minute, under load', async () => {
  const services = await Promise.all(
    Array.from({ length: SERVICES }, (_, index) =>
      mesh.service({ name: `service-${index}`, ports: { http: HTTP }, pods: [server] }),
    ),
  );
  const [known] = services;
  assert.ok(known);
  await calls.http1(client, known);
  await mesh.learned(client, known);
  await eventually('calls go direct', async () => (await calls.http1(client, known)) === client.address);
  const targets = services.map(({ name, address, port, host }) => ({ name, address, port, host }));
  for (const { process } of mesh.egresses) if (process.running) await process.stop('SIGKILL');
  await mesh.setEgressesReady([]);
  const killedAt = performance.now();
  await load.call('startLoad', 'stranded', { targets, requestsPerSecond: 100 });
  await mesh.eager(client, 60_000);
  await eventually('every service is reached', async () => {
    const { newest } = await load.call('countLoad', 'stranded');
    return Object.keys(newest).length === SERVICES;
  });
  const seconds = (performance.now() - killedAt) / 1_000;
  assert.ok(seconds < 60, `${seconds} s`);
  const { failures } = await load.call('stopLoad', 'stranded');
  assert.deepEqual(
    failures.filter((failure) => failure.includes(' service-0 ')),
    [],
    'what had been learned was not touched',
  );
});

test('With an egress again they are lazy again, and know what they had learned', async () => {
  const [, second] = mesh.egresses;
  assert.ok(second);
  await mesh.startEgress(second);
  await second.ready();
  await mesh.setEgressesReady([second]);
  await eventually('the client is lazy again', () => mesh.isLazy(client), { timeoutMs: 90_000 });
  await eventually('it knows what it called', async () =>
    (await mesh.outboundClusters(client)).includes(`outbound|${HTTP}||service-0.shop.svc.cluster.local`),
  );
});
