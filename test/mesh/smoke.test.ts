/** The mesh bed itself: real servers, plain Envoys of istiod, and a lazy one whose first calls cross `lazyscope egress`. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { clusterOf } from '../support/bed/api-client.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { egressPod, egressRule, makeLazy, startEgress } from './bed/lazy.ts';
import { MeshBed } from './bed/mesh-bed.ts';

const HTTP_PORT = 8080;
const TCP_PORT = 9000;
const GREETING = '220 ready\r\n';

let mesh: MeshBed;
let server: Pod;
let client: Pod;
let web: ServiceHandle;
let mail: ServiceHandle;

before(async () => {
  mesh = await MeshBed.start();
  // Without a sidecar, so that its programs see who dials.
  server = await mesh.pod('server-0', { interception: 'none' });
  client = await mesh.pod('client-0');
  web = await mesh.service({ name: 'web', ports: { http: HTTP_PORT }, pods: [server] });
  mail = await mesh.service({ name: 'mail', ports: { tcp: TCP_PORT }, pods: [server] });
  await (await loadApp(server, 'http1-server')).call('listenHttp1', HTTP_PORT);
  await (await loadApp(server, 'tcp-server')).call('listenServerFirst', TCP_PORT);
  await mesh.startEnvoy(client);
});
after(() => mesh.destroy());

/** The address that the server sees when the client asks `web` by its ClusterIP. */
async function webPeer(app: App<'http1-client'>, connection: string): Promise<string> {
  const { address, port, host } = web;
  const answer = await app.call('send', { connection, address, port, path: '/peer', headers: { host } });
  assert.equal(answer.status, 200, answer.body);
  return answer.body;
}

test('An Envoy has the clusters of every service, and a ClusterIP leads to the pod behind it', async () => {
  const clusters = await client.envoy.admin.clusters();
  assert.ok(clusters.includes(clusterOf('web', HTTP_PORT)), clusters.join());
  assert.deepEqual(await client.envoy.admin.endpoints(clusterOf('web', HTTP_PORT)), [`${server.address}:${HTTP_PORT}`]);
  assert.equal(await webPeer(await loadApp(client, 'http1-client'), 'eager'), client.address);
});

test('istiod tells what it does, and what it would refuse', async () => {
  const connections = await mesh.istiod.debug<{ readonly totalClients: number }>('connections');
  assert.equal(connections.totalClients, 1);
  assert.ok((await mesh.istiod.metric('pilot_xds_pushes', 'type="cds"')) > 0);
  const rule = egressRule(web);
  assert.deepEqual(await mesh.istiod.validate(rule), { allowed: true, message: '' });
  const refused = await mesh.istiod.validate({ ...rule, spec: {} });
  assert.equal(refused.allowed, false);
  assert.match(refused.message, /empty domain name/);
});

test('A lazy Envoy sends what it does not know through the egress to its original destination', async () => {
  const pod = await egressPod(mesh);
  await mesh.startEnvoy(pod);
  const egress = await startEgress(mesh, pod);
  await makeLazy(mesh, { client, admin: client.envoy.admin, egress, httpPort: HTTP_PORT });
  assert.equal(await webPeer(await loadApp(client, 'http1-client'), 'lazy'), pod.address);
  const exchange = await (await loadApp(client, 'tcp-client')).call('echoExchange', mail, GREETING.length, 100_000);
  assert.equal(exchange.greeting, GREETING);
  assert.equal(exchange.receivedHash, exchange.sentHash);
  assert.equal(await egress.metric('lazyscope_egress_connections_total'), 2);
});
