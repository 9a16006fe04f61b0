/** Pods with the real istio-agent under STRICT mTLS. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import type { Agent } from './bed/agent.ts';
import { egressPod, makeLazy, startEgress } from './bed/lazy.ts';
import { MeshBed } from './bed/mesh-bed.ts';

const HTTP_PORT = 8080;
const TCP_PORT = 9000;
const GREETING = '220 ready\r\n';

let mesh: MeshBed;
let server: Pod;
let client: Pod;
let web: ServiceHandle;
let mail: ServiceHandle;
let httpServer: App<'http1-server'>;
let agent: Agent;

before(async () => {
  mesh = await MeshBed.start({ mutualTls: 'Strict' });
  server = await mesh.pod('server-0');
  client = await mesh.pod('client-0');
  web = await mesh.service({ name: 'web', ports: { http: HTTP_PORT }, pods: [server] });
  mail = await mesh.service({ name: 'mail', ports: { tcp: TCP_PORT }, pods: [server] });
  httpServer = await loadApp(server, 'http1-server');
  await httpServer.call('listenHttp1', HTTP_PORT);
  await (await loadApp(server, 'tcp-server')).call('listenServerFirst', TCP_PORT);
  [agent] = await Promise.all([mesh.startAgent(client), mesh.startAgent(server)]);
});
after(() => mesh.destroy());

/** Calls `web` by its ClusterIP; returns the identity that the server is shown. */
async function callerOf(testCase: string): Promise<string | undefined> {
  const app = await loadApp(client, 'http1-client');
  const { address, port, host } = web;
  const headers = { host, 'x-case': testCase };
  const answer = await app.call('send', { connection: testCase, address, port, path: '/peer', headers });
  assert.equal(answer.status, 200, answer.body);
  const { rawHeaders } = await httpServer.call('seenRequest', testCase);
  const certificate = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'x-forwarded-client-cert') + 1];
  return /;URI=([^;,]*)$/.exec(certificate ?? '')?.[1];
}

async function assertServerFirst(): Promise<void> {
  const exchange = await (await loadApp(client, 'tcp-client')).call('echoExchange', mail, GREETING.length, 10_000);
  assert.equal(exchange.greeting, GREETING);
  assert.equal(exchange.receivedHash, exchange.sentHash);
}

test('HTTP and server-first TCP by ClusterIP arrive, with the identity of the pod that calls', async () => {
  assert.equal(await callerOf('eager'), 'spiffe://cluster.local/ns/shop/sa/client');
  await assertServerFirst();
});

test('A pod without an agent is refused', async () => {
  const stranger = await mesh.pod('stranger-0', { interception: 'none' });
  const app = await loadApp(stranger, 'raw-client');
  const request = Buffer.from(`GET / HTTP/1.1\r\nhost: ${web.host}\r\n\r\n`);
  const answer = await app.call('sendRaw', { address: server.address, port: HTTP_PORT }, request, 1);
  assert.equal(answer.received, '');
});

test('The agent hands out the certificate, whose identity is that of the ServiceAccount', () => {
  assert.deepEqual(readdirSync(agent.certificates).sort(), ['cert-chain.pem', 'key.pem', 'root-cert.pem']);
  const certificate = new X509Certificate(readFileSync(join(agent.certificates, 'cert-chain.pem')));
  assert.equal(certificate.subjectAltName, 'URI:spiffe://cluster.local/ns/shop/sa/client');
});

test('A lazy pod reaches a STRICT server through the egress, whose sidecar gives it the identity of the egress', async () => {
  const pod = await egressPod(mesh);
  await mesh.startAgent(pod);
  const egress = await startEgress(mesh, pod);
  await makeLazy(mesh, { client, admin: agent.admin, egress, httpPort: HTTP_PORT });
  assert.equal(await callerOf('lazy'), 'spiffe://cluster.local/ns/lazyscope/sa/egress');
  await assertServerFirst();
  assert.equal(await egress.metric('lazyscope_egress_connections_total'), 2);
});
