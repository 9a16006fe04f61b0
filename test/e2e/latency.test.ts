/** Server-first TCP on a port number that is HTTP elsewhere must not wait for a client that will not speak. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';

const MIXED_PORT = 8080;
const BANNER_PORT = 9000;

/** Each is measured once while it is unlearned: its first connection makes it learned. */
const unlearned = Array.from({ length: 20 }, (_, index) => `banner-${index}`);

let mesh: SmallMesh;
let client: App<'tcp-client'>;
let server: App<'tcp-server'>;

before(async () => {
  const banner = { ports: { tcp: MIXED_PORT }, targetPorts: { tcp: BANNER_PORT } };
  const banners = Object.fromEntries(unlearned.map((name) => [name, banner]));
  mesh = await SmallMesh.start({ services: { ...banners, web: { ports: { http: MIXED_PORT } } } });
  client = await loadApp(mesh.client, 'tcp-client');
  server = await loadApp(mesh.server, 'tcp-server');
  await server.call('listenServerFirst', BANNER_PORT);
  // Warms up programs and Envoy with a service that is not measured unlearned, and one more for the egress.
  const listeners = unlearned.length + 1;
  await eventually('the sidecar has its listeners', async () => {
    return (await mesh.client.envoy.admin.listeners()).length >= listeners;
  });
});
after(() => mesh.destroy());

function assertPrompt(times: readonly number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const shown = sorted.map((time) => time.toFixed(1)).join(' ');
  assert.ok((sorted[sorted.length >> 1] ?? 0) < 50, `the median is under 50 ms: ${shown}`);
  assert.ok((sorted.at(-1) ?? 0) <= 90, `none is over 90 ms: ${shown}`);
}

test('Server-first TCP on a mixed port greets at once, unlearned and learned', async () => {
  const measure = async (name: string): Promise<number> => client.call('firstByteMs', mesh.service(name));
  const newestPeer = async (): Promise<string | undefined> => (await server.call('peers', BANNER_PORT)).at(-1);

  const first: number[] = [];
  for (const name of unlearned) {
    first.push(await measure(name));
    assert.equal(await newestPeer(), mesh.egress.pod.address, `${name} was measured unlearned`);
  }
  assertPrompt(first);

  const [name = ''] = unlearned;
  await mesh.learned(name);
  await eventually('the learned service is dialled directly', async () => {
    await measure(name);
    return (await newestPeer()) === mesh.client.address;
  });
  const learned: number[] = [];
  for (let index = 0; index < 20; index += 1) learned.push(await measure(name));
  assert.equal(await newestPeer(), mesh.client.address);
  assertPrompt(learned);
});
