/** Who is lazy, and what stays relayed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { clusterOf } from '../support/bed/api-client.ts';
import { namespaceObject, podObject, serviceObjects } from '../support/bed/kubernetes-objects.ts';
import type { Pod, PodOptions } from '../support/bed/pod.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';

const HTTP_PORT = 8080;
const BANNER_PORT = 9000;
const MIXED_PORT = 9100;
const EVERYTHING = [clusterOf('cart', HTTP_PORT), clusterOf('database', BANNER_PORT)];

let mesh: SmallMesh;
let http: App<'http1-client'>;
let tcp: App<'tcp-client'>;
let tcpServer: App<'tcp-server'>;

before(async () => {
  mesh = await SmallMesh.start({
    services: {
      cart: { ports: { http: HTTP_PORT } },
      database: { ports: { tcp: BANNER_PORT } },
      pages: { ports: { http: HTTP_PORT }, headless: true },
      queue: { ports: { tcp: BANNER_PORT }, headless: true },
      greeter: { ports: { tcp: MIXED_PORT }, headless: true },
      web: { ports: { http: MIXED_PORT } },
    },
  });
  http = await loadApp(mesh.client, 'http1-client');
  tcp = await loadApp(mesh.client, 'tcp-client');
  tcpServer = await loadApp(mesh.server, 'tcp-server');
  const httpServer = await loadApp(mesh.server, 'http1-server');
  await httpServer.call('listenHttp1', HTTP_PORT);
  await tcpServer.call('listenServerFirst', BANNER_PORT);
  await tcpServer.call('listenServerFirst', MIXED_PORT);
});
after(() => mesh.destroy());

async function startPod(name: string, options: PodOptions): Promise<Pod> {
  const pod = mesh.bed.pod(name, options);
  mesh.folder.apply(podObject(pod));
  await pod.startEnvoy(await mesh.controller.bootstrap(pod));
  return pod;
}

async function assertEager(pod: Pod): Promise<void> {
  const clusters = await eventually(`${pod.name} has everything`, async () => {
    const held = await pod.envoy.admin.clusters();
    return EVERYTHING.every((name) => held.includes(name)) && held;
  });
  assert.ok(clusters.every((name) => name.startsWith('outbound|')));
  const client = await loadApp(pod, 'http1-client');
  const { address, port, host } = mesh.service('cart');
  const response = await client.call('send', { connection: 'a', address, port, path: '/peer', headers: { host } });
  assert.equal(response.body, pod.address, 'its first request is direct');
}

test('A pod with the annotation lazyscope.io/mode: Off gets everything', async () => {
  await assertEager(await startPod('eager-0', { mode: 'Off' }));
});

test('A pod in a namespace with the annotation gets everything, new services too', async () => {
  mesh.folder.apply(namespaceObject('free', { 'lazyscope.io/mode': 'Off' }));
  const pod = await startPod('free-0', { namespace: 'free' });
  await assertEager(pod);

  const clusterIP = mesh.bed.clusterIP();
  const endpoints = [mesh.server.address];
  mesh.folder.apply(...serviceObjects({ name: 'new', clusterIP, ports: { http: HTTP_PORT }, endpoints }));
  await eventually('the new service reaches it', async () => {
    return (await pod.envoy.admin.clusters()).includes(clusterOf('new', HTTP_PORT));
  });
});

test('A headless HTTP service is learned by its Host, and called directly', async () => {
  const { address, port, host } = mesh.service('pages');
  const peer = async (): Promise<string> => {
    const response = await http.call('send', { connection: 'b', address, port, path: '/peer', headers: { host } });
    assert.equal(response.status, 200);
    return response.body;
  };
  assert.equal(await peer(), mesh.egress.pod.address);
  await mesh.learned('pages');
  await eventually('it is called directly', async () => (await peer()) === mesh.client.address);
});

test('A headless TCP service stays relayed, as a pod address', async () => {
  const to = mesh.service('queue');
  const newestPeer = async (): Promise<string | undefined> => (await tcpServer.call('peers', BANNER_PORT)).at(-1);
  await tcp.call('firstByteMs', to);
  assert.equal(await newestPeer(), mesh.egress.pod.address);

  const edge = await eventually('the edge is known', async () =>
    (await mesh.controller.api.edges(mesh.client.workload)).find(({ state }) => state === 'relayed'),
  );
  assert.equal(edge.relayReason, 'PodIP');
  assert.equal(edge.port, BANNER_PORT);
  await tcp.call('firstByteMs', to);
  assert.equal(await newestPeer(), mesh.egress.pod.address);
});

test('A headless server may speak first on a port that is HTTP elsewhere', async () => {
  const { address, port } = mesh.service('greeter');
  await eventually('its pod has a listener', async () => {
    return (await mesh.client.envoy.admin.listeners()).includes(`${address}_${port}`);
  });
  await tcp.call('firstByteMs', { address, port });
  assert.equal((await tcpServer.call('peers', MIXED_PORT)).at(-1), mesh.egress.pod.address);
});
