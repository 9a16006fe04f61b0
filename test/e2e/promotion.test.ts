/** The path changes under full load: no request fails, nothing long is cut. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';

const PORT = 8080;
const LINE_PORT = 9000;
const CHAT_PORT = 8082;
const GREETING = '220 ready\r\n';
const PROMOTIONS = 20;

let mesh: SmallMesh;
let hammer: App<'hammer'>;
let tcp: App<'tcp-client'>;
let grpc: App<'grpc-client'>;

const calm = Array.from({ length: PROMOTIONS }, (_, index) => `calm-${index}`);
const troubled = Array.from({ length: PROMOTIONS }, (_, index) => `troubled-${index}`);

before(async () => {
  const hammered = Object.fromEntries([...calm, ...troubled].map((name) => [name, { ports: { http: PORT } }]));
  const long = { line: { ports: { tcp: LINE_PORT } }, chat: { ports: { grpc: CHAT_PORT } } };
  mesh = await SmallMesh.start({ services: { ...hammered, ...long } });
  hammer = await loadApp(mesh.client, 'hammer');
  tcp = await loadApp(mesh.client, 'tcp-client');
  grpc = await loadApp(mesh.client, 'grpc-client');
  const [httpServer, tcpServer, grpcServer] = [
    await loadApp(mesh.server, 'http1-server'),
    await loadApp(mesh.server, 'tcp-server'),
    await loadApp(mesh.server, 'grpc-server'),
  ];
  await httpServer.call('listenHttp1', PORT);
  await tcpServer.call('listenServerFirst', LINE_PORT);
  await grpcServer.call('listenGrpc', CHAT_PORT);
  await openLong('relayed');
  await mesh.learned('line');
  await mesh.learned('chat');
  await openLong('direct');
});
after(() => mesh.destroy());

async function openLong(name: string): Promise<void> {
  const { address, port, host } = mesh.service('chat');
  await tcp.call('openLine', name, mesh.service('line'), GREETING.length);
  await grpc.call('openChannel', name, `${address}:${port}`, host);
  await grpc.call('openChat', name, name, name);
  await assertLongAlive(name);
}

async function assertLongAlive(name: string): Promise<void> {
  assert.equal(await tcp.call('echoLine', name, 'still here'), 'still here', `TCP connection ${name}`);
  assert.equal(await grpc.call('say', name, 'still here'), 'still here', `stream ${name}`);
}

/** Listeners that were changed cut their connections only when they have drained. */
async function drained(): Promise<void> {
  const { admin } = mesh.client.envoy;
  const gauges = ['listener_manager.total_listeners_draining', 'listener_manager.total_filter_chains_draining'];
  await eventually('no listener drains', async () => {
    const values = await Promise.all(gauges.map((gauge) => admin.stat(gauge)));
    return values.every((value) => value === 0);
  });
}

/** Hammers a service from its first request until its requests go direct, then some more. */
async function promote(name: string, meanwhile?: () => Promise<void>): Promise<void> {
  const { address, port, host } = mesh.service(name);
  await hammer.call('startHammer', name, { address, port, host });
  await meanwhile?.();
  const directCount = async (): Promise<number> =>
    (await hammer.call('countHammer', name)).peers[mesh.client.address] ?? 0;
  await eventually(`${name} is called directly`, async () => (await directCount()) > 100);
  const { total, failures, peers } = await hammer.call('stopHammer', name);
  assert.deepEqual(failures, [], `${failures.length} of ${total} requests to ${name} failed`);
  assert.ok((peers[mesh.egress.pod.address] ?? 0) > 0, `${name} was called through the egress first`);
}

test('No request fails in 20 promotions', async () => {
  for (const name of calm) await promote(name);
});

test('No request fails in 20 promotions while the controller is killed and restarted', async () => {
  const restart = async (): Promise<void> => {
    await mesh.controller.kill();
    await mesh.controller.start();
  };
  const { address, port, host } = mesh.service('calm-0');
  await hammer.call('startHammer', 'learned before', { address, port, host });
  for (const [index, name] of troubled.entries()) await promote(name, index === PROMOTIONS / 2 ? restart : undefined);
  const { failures, peers } = await hammer.call('stopHammer', 'learned before');
  assert.deepEqual(failures, []);
  assert.deepEqual(Object.keys(peers), [mesh.client.address], 'what was learned before the kill stays direct');
});

test('Long TCP connections and streams survive the promotions and the restart', async () => {
  await drained();
  for (const name of ['relayed', 'direct']) await assertLongAlive(name);
});
