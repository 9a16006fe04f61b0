/** HTTP/1 in all its forms: the first request through the egress is answered as the learned service answers it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { HttpRequest, HttpResponse } from '../support/apps/http1-client.ts';
import type { SeenRequest } from '../support/apps/http1-server.ts';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { type ServiceHandle, SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';

const PORT = 8080;
const SERVICES = ['keep-alive', 'trailers', 'upload', 'continue', 'events', 'websocket'];

let mesh: SmallMesh;
let client: App<'http1-client'>;
let server: App<'http1-server'>;

before(async () => {
  mesh = await SmallMesh.start({
    services: Object.fromEntries(SERVICES.map((name) => [name, { ports: { http: PORT } }])),
  });
  client = await loadApp(mesh.client, 'http1-client');
  server = await loadApp(mesh.server, 'http1-server');
  await server.call('listenHttp1', PORT);
});
after(() => mesh.destroy());

/** How a request was answered, and how it arrived. */
interface Passage {
  readonly response: HttpResponse;
  readonly seen: Omit<SeenRequest, 'peer'>;
  readonly peer: string;
}

function requestTo(service: ServiceHandle, request: Partial<HttpRequest>): HttpRequest {
  const { name, address, port, host } = service;
  return { connection: name, address, port, ...request, headers: { host, 'x-case': name, ...request.headers } };
}

async function pass(service: ServiceHandle, request: Partial<HttpRequest>): Promise<Passage> {
  const response = await client.call('send', requestTo(service, request));
  const { peer, ...seen } = await server.call('seenRequest', service.name);
  return { response, seen, peer };
}

/** First through the egress; learned; then directly, on the same connection of the client; nothing else may differ. */
async function assertSameBothWays(name: string, request: Partial<HttpRequest>): Promise<Passage> {
  const service = mesh.service(name);
  const { peer, ...relayed } = await pass(service, request);
  assert.equal(peer, mesh.egress.pod.address, 'the first request crosses the egress');
  await mesh.learned(name);
  const { peer: _, ...direct } = await eventually('requests go direct', async () => {
    const passage = await pass(service, request);
    return passage.peer === mesh.client.address && passage;
  });
  assert.deepEqual(relayed, direct);
  return { peer, ...relayed };
}

test('HTTP/1 keep-alive: a client connection turns direct from one request to the next', async () => {
  const headers = { 'X-MiXed-Case': 'Kept', cookie: 'a=1; b=2' };
  const { response } = await assertSameBothWays('keep-alive', {
    method: 'PUT',
    path: '/a//b/../c%2Fd?q=%20&r',
    headers,
    body: 'some content',
  });
  assert.equal(response.status, 207);
  assert.equal(response.reason, 'Partly Fine');
  assert.equal(response.body, 'received 12 bytes');
});

test('HTTP/1 trailers pass in both directions', async () => {
  const { response, seen } = await assertSameBothWays('trailers', {
    method: 'POST',
    headers: { te: 'trailers', trailer: 'x-check' },
    trailers: { 'x-check': 'sum' },
    body: 'with trailers',
  });
  assert.deepEqual(response.rawTrailers, ['x-sum', response.sentHash]);
  assert.deepEqual(seen.rawTrailers, ['x-check', 'sum']);
});

test('A chunked upload of 50 MB arrives whole', async () => {
  const bytes = 50_000_000;
  const { response, seen } = await assertSameBothWays('upload', { method: 'POST', chunkedBytes: bytes });
  assert.equal(seen.bodyBytes, bytes);
  assert.equal(seen.bodyHash, response.sentHash);
});

test('100-continue is asked of the server, and comes from it', async () => {
  const { response } = await assertSameBothWays('continue', {
    method: 'POST',
    expectContinue: true,
    body: 'after the nod',
  });
  assert.equal(response.continued, true);
  assert.equal(response.body, 'received 13 bytes');
});

test('Server-sent events arrive one by one', async () => {
  const service = mesh.service('events');
  const stream = async (): Promise<{ readonly peer: string; readonly text: string }> => {
    const request = requestTo(service, { path: '/events' });
    assert.equal(await client.call('openEvents', request), 'data: first\n\n', 'an event does not wait for the next');
    await server.call('release', service.name);
    const text = await client.call('endOfEvents', service.name);
    return { peer: (await server.call('seenRequest', service.name)).peer, text };
  };
  const relayed = await stream();
  assert.equal(relayed.peer, mesh.egress.pod.address);
  await mesh.learned('events');
  const direct = await eventually('streams go direct', async () => {
    const next = await stream();
    return next.peer === mesh.client.address && next;
  });
  assert.equal(relayed.text, direct.text);
  assert.equal(direct.text, 'data: first\n\ndata: second\n\ndata: last\n\n');
});

test('WebSocket: the open one stays on the egress, the next is direct', async () => {
  const { address, port, host } = mesh.service('websocket');
  const sockets = await loadApp(mesh.client, 'websocket-client');
  const url = `ws://${address}:${port}/chat`;
  assert.equal(await sockets.call('openWebSocket', 'first', url, host), mesh.egress.pod.address);
  assert.equal(await sockets.call('exchangeMessage', 'first', 'hello'), 'hello');

  await mesh.learned('websocket');
  await eventually('the next WebSocket is direct', async () => {
    const peer = await sockets.call('openWebSocket', 'next', url, host);
    return peer === mesh.client.address;
  });

  assert.equal(await sockets.call('exchangeMessage', 'next', 'direct'), 'direct');
  assert.equal(await sockets.call('exchangeMessage', 'first', 'still here'), 'still here');
});
