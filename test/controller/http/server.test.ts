import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { pino } from 'pino';
import { hostGuard } from '../../../controller/http/host-guard.ts';
import { keptConnection } from '../../support/kept-connection.ts';
import { shop } from './shop.ts';
import { shopServer, startServer } from './start-server.ts';

/** Status of a GET with a Host header of our choice, which fetch does not allow. */
function statusWithHost(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });
}

test('on loopback a foreign Host is refused, whatever it asks for', async (t) => {
  const server = await startServer(t);
  for (const path of ['/api/v1/edges', '/metrics', '/livez', '/nothing']) {
    assert.equal(await statusWithHost(`${server}${path}`, 'evil.example.com:15014'), 403, path);
  }
});

const hosts: readonly (readonly [listen: string, header: string | undefined, answered: boolean])[] = [
  ['127.0.0.1', 'localhost', true],
  ['127.0.0.1', 'LOCALHOST:9999', true],
  ['127.0.0.1', '127.0.0.1:15014', true],
  ['127.0.0.1', '[::1]:15014', true],
  ['127.0.0.1', 'evil.example.com', false],
  ['127.0.0.1', 'localhost.evil.example.com', false],
  ['127.0.0.1', '', false],
  ['127.0.0.1', undefined, false],
  ['127.0.0.2', '127.0.0.2:15014', true],
  ['::1', '[::1]:15014', true],
  ['::1', 'evil.example.com', false],
  ['localhost', 'evil.example.com', false],
  ['0.0.0.0', 'lazyscope.example.com', true],
  ['10.0.0.1', undefined, true],
];

for (const [listen, header, answered] of hosts) {
  test(`listening on ${listen}, Host ${header} is ${answered ? 'answered' : 'refused'}`, () => {
    assert.equal(hostGuard(listen)(header), answered);
  });
}

test('nothing may be cached or read by pages of other origins', async (t) => {
  const response = await fetch(`${await startServer(t)}/api/v1/edges`, {
    headers: { origin: 'https://evil.example.com' },
  });
  assert.equal(response.headers.get('cache-control'), 'no-store');
  assert.equal(response.headers.get('access-control-allow-origin'), null);
});

test('logs name the route but not the query', async (t) => {
  const log = new PassThrough();
  const edges = (): never => {
    throw new Error('broken');
  };
  const server = await startServer(t, { logger: pino({ level: 'debug' }, log), readModel: { ...shop, edges } });
  await (await fetch(`${server}/api/v1/edges?namespace=private`)).text();
  await (await fetch(`${server}/api/v1/edges?namespace=PRIVATE`)).text();
  log.end();
  const lines = await text(log);
  assert.match(lines, /"route":"\/api\/v1\/edges".*broken/);
  assert.doesNotMatch(lines, /private/i);
});

test('an address that is taken ends in one sentence with the flag that changes it', async (t) => {
  const { port } = new URL(await startServer(t));
  await assert.rejects(shopServer().listen({ address: '127.0.0.1', port: Number(port) }), {
    code: 'InvalidConfiguration',
    message: /--http-listen.*EADDRINUSE/,
  });
});

test('serves so many connections at a time; those beyond are closed and counted', async (t) => {
  const server = shopServer({ maxConnections: 2 });
  t.after(() => server.close());
  const { address, port } = await server.listen({ address: '127.0.0.1', port: 0 });
  const open = (): Socket => connect(port, address).on('error', () => undefined);
  const kept = [open(), open()];
  await Promise.all(kept.map((socket) => once(socket, 'connect')));
  await once(open(), 'close');
  for (const socket of kept) socket.destroy();
  assert.equal(server.limits.HttpConnections, 1);
});

test('when no more is let in, connections that are kept without use are closed: probes get through', async (t) => {
  const server = shopServer({ maxConnections: 1 });
  t.after(() => server.close());
  const { address, port } = await server.listen({ address: '127.0.0.1', port: 0 });
  const kept = await keptConnection(port);
  const closed = once(kept, 'close', { signal: AbortSignal.timeout(20_000) });
  await once(
    connect(port, address).on('error', () => undefined),
    'close',
  );
  await closed;
  assert.equal((await fetch(`http://${address}:${port}/livez`)).status, 200);
});

test('a body that is too large is refused and counted', async (t) => {
  const server = shopServer();
  t.after(() => server.close());
  const { address, port } = await server.listen({ address: '127.0.0.1', port: 0 });
  const response = await fetch(`http://${address}:${port}/api/v1/workloads/shop/Deployment/cart/forget`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ service: 's'.repeat(70_000) }),
  });
  assert.equal(response.status, 413);
  assert.equal(server.limits.HttpBodyBytes, 1);
});
