/** TCP and TLS: byte for byte, through the egress first, directly from the next connection after learning. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeCertificate } from '../support/apps/certificate.ts';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';

const BANNER_PORT = 9000;
const HALF_CLOSED_PORT = 9001;
const TLS_PORT = 9443;
const GREETING = '220 ready\r\n';
const BYTES = 3_000_000;

let mesh: SmallMesh;
let client: App<'tcp-client'>;
let server: App<'tcp-server'>;

before(async () => {
  mesh = await SmallMesh.start({
    services: {
      banner: { ports: { tcp: BANNER_PORT } },
      'half-closed': { ports: { tcp: HALF_CLOSED_PORT } },
      secret: { ports: { tls: TLS_PORT } },
    },
  });
  client = await loadApp(mesh.client, 'tcp-client');
  server = await loadApp(mesh.server, 'tcp-server');
  const { key, certificate } = makeCertificate(mesh.bed.folder('tls'), mesh.service('secret').host);
  await server.call('listenServerFirst', BANNER_PORT);
  await server.call('listenHalfClosed', HALF_CLOSED_PORT);
  await server.call('listenTls', TLS_PORT, key, certificate);
});
after(() => mesh.destroy());

/** Every exchange must succeed; the first through the egress, the last directly. */
async function assertLazyThenDirect(name: string, exchange: () => Promise<void>): Promise<void> {
  const { port } = mesh.service(name);
  const newestPeer = async (): Promise<string | undefined> => (await server.call('peers', port)).at(-1);
  await exchange();
  assert.equal(await newestPeer(), mesh.egress.pod.address, 'the first connection crosses the egress');
  await mesh.learned(name);
  await eventually('connections go direct', async () => {
    await exchange();
    return (await newestPeer()) === mesh.client.address;
  });
}

test('Server-first TCP passes byte for byte', async () => {
  await assertLazyThenDirect('banner', async () => {
    const done = await client.call('echoExchange', mesh.service('banner'), GREETING.length, BYTES);
    assert.equal(done.greeting, GREETING);
    assert.equal(done.receivedHash, done.sentHash);
  });
});

test('TLS passes byte for byte, with its server name', async () => {
  const { host } = mesh.service('secret');
  await assertLazyThenDirect('secret', async () => {
    const done = await client.call('tlsExchange', mesh.service('secret'), host, BYTES);
    assert.equal(done.subject, host);
    assert.equal(done.receivedHash, done.sentHash);
  });
  assert.deepEqual([...new Set(await server.call('seenServerNames'))], [host]);
});

test('TCP that is half closed still brings the answer', async () => {
  await assertLazyThenDirect('half-closed', async () => {
    const done = await client.call('halfClosedExchange', mesh.service('half-closed'), BYTES);
    assert.equal(done.answer, done.sentHash);
  });
});
