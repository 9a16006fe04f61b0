/** Pods that the controller does not know, or cannot know yet. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { podObject } from '../support/bed/kubernetes-objects.ts';
import type { Pod } from '../support/bed/pod.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { staticBootstrap } from '../support/bed/static-bootstrap.ts';
import { eventually } from '../support/eventually.ts';

const PORT = 8080;

let mesh: SmallMesh;

before(async () => {
  mesh = await SmallMesh.start({ services: { cart: { ports: { http: PORT } } } });
  const server = await loadApp(mesh.server, 'http1-server');
  await server.call('listenHttp1', PORT);
});
after(() => mesh.destroy());

async function startPod(name: string): Promise<{ readonly pod: Pod; readonly client: App<'http1-client'> }> {
  const pod = mesh.bed.pod(name);
  await pod.startEnvoy(staticBootstrap(mesh.bed, pod, mesh.egress.listen));
  return { pod, client: await loadApp(pod, 'http1-client') };
}

/** Address that dials the server when a client calls the service, on its connection of that name. */
async function peerOf(client: App<'http1-client'>, connection: string): Promise<string> {
  const { address, port, host } = mesh.service('cart');
  const response = await client.call('send', { connection, address, port, path: '/peer', headers: { host } });
  assert.equal(response.status, 200);
  return response.body;
}

async function becomesDirect(pod: Pod, client: App<'http1-client'>): Promise<void> {
  await mesh.learned('cart', pod);
  // A connection each time: one that was opened before the sidecar had its listeners stays with the egress.
  let connections = 0;
  await eventually(`${pod.name} calls directly`, async () => {
    connections += 1;
    return (await peerOf(client, `later ${connections}`)) === pod.address;
  });
  // The first connection works on, by whichever way.
  await peerOf(client, 'first');
}

test('A pod that starts while the controller is down works through the egress, and turns direct later', async () => {
  await mesh.controller.kill();
  const { pod, client } = await startPod('late-0');
  mesh.folder.apply(podObject(pod));
  assert.equal(await peerOf(client, 'first'), mesh.egress.pod.address);

  await mesh.controller.start();

  await becomesDirect(pod, client);
});

test("A pod that is faster than the controller's watch is served, and attributed later", async () => {
  const startedAt = new Date();
  const { pod, client } = await startPod('fast-0');
  assert.equal(await peerOf(client, 'first'), mesh.egress.pod.address);

  mesh.folder.apply(podObject(pod, startedAt));

  await becomesDirect(pod, client);
});
