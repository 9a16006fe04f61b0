/** The mesh bed itself: real servers, plain Envoys of istiod, and a lazy one whose first calls cross `lazyscope egress`. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { clusterOf } from '../support/bed/api-client.ts';
import { Egress } from '../support/bed/egress.ts';
import type { Pod } from '../support/bed/pod.ts';
import { EGRESS_PORT } from '../support/bed/ports.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { egressRule, lazySidecar } from './bed/lazy-objects.ts';
import { MeshBed } from './bed/mesh-bed.ts';

const SYSTEM = 'lazyscope';
const HTTP_PORT = 8080;
const TCP_PORT = 9000;
const GREETING = '220 ready\r\n';

let mesh: MeshBed;
let server: Pod;
let client: Pod;
let egress: Egress;
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

function clusterOfService({ host, port }: ServiceHandle): string {
  return `outbound|${port}||${host}`;
}

/** The egress dials ClusterIPs, which its own Envoy, an eager one, resolves. */
async function startEgress(): Promise<void> {
  egress = new Egress(mesh.bed, await mesh.pod('egress-0', { namespace: SYSTEM }));
  await mesh.startEnvoy(egress.pod);
  await egress.start({ mode: 'istio' });
}

/** Makes the client lazy; returns all that its Envoy then knows: the egress and the placeholder. */
async function makeLazy(): Promise<readonly [ServiceHandle, ServiceHandle]> {
  const system = async (name: string, ports: Record<string, number>, pods: readonly Pod[] = []) =>
    mesh.service({ name, namespace: SYSTEM, ports, pods });
  const service = await system('egress', { proxy: EGRESS_PORT }, [egress.pod]);
  const placeholder = await system('placeholder', { http: HTTP_PORT });
  // Else istiod's route cache gives the egress's Envoy the lazy route of this port.
  await system('decoy', { http: HTTP_PORT });
  await mesh.client.apply(egressRule(service, SYSTEM));
  await mesh.client.apply(lazySidecar(client, service, [service, placeholder]));
  return [service, placeholder];
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
  const rule = egressRule(web, SYSTEM);
  assert.deepEqual(await mesh.istiod.validate(rule), { allowed: true, message: '' });
  const refused = await mesh.istiod.validate({ ...rule, spec: {} });
  assert.equal(refused.allowed, false);
  assert.match(refused.message, /empty domain name/);
});

test('A lazy Envoy sends what it does not know through the egress to its original destination', async () => {
  await startEgress();
  const [known, placeholder] = await makeLazy();
  await eventually('the client knows nothing but egress and placeholder', async () => {
    const clusters = (await client.envoy.admin.clusters()).filter((name) => name.startsWith('outbound|'));
    return clusters.join() === [clusterOfService(known), clusterOfService(placeholder)].join();
  });
  assert.equal(await webPeer(await loadApp(client, 'http1-client'), 'lazy'), egress.pod.address);
  const exchange = await (await loadApp(client, 'tcp-client')).call('echoExchange', mail, GREETING.length, 100_000);
  assert.equal(exchange.greeting, GREETING);
  assert.equal(exchange.receivedHash, exchange.sentHash);
  assert.equal(await egress.metric('lazyscope_egress_connections_total'), 2);
});
