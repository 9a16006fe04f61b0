import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import type { SocketAddress } from '../../controller/core/model.ts';
import { Reading } from './support/reading.ts';
import { until } from './support/until.ts';
import { connection, relayTo, type Scripted, scripted, TO_WEB } from './support/web-and-api.ts';

const get = (host: string, path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const ok = (body: string, ...fields: string[]): string =>
  ['HTTP/1.1 200 OK', `Content-Length: ${body.length}`, ...fields, '', body].join('\r\n');

/** An HTTP server of Node's, that ends with the test. */
async function listening(t: TestContext, server: Server): Promise<SocketAddress> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { address: '127.0.0.1', port };
}

/** A client connection that has had one answer, so that its upstream is idle. */
async function answeredOnce(t: TestContext, web: Scripted) {
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  const reading = new Reading(client);
  client.write(get('web.test', '/1'));
  const first = await connection(web, 0);
  await first.reading.until('\r\n\r\n');
  first.socket.write(ok('one'));
  await reading.until('one');
  return { relay, client, reading, first };
}

test('the Host decides, whatever address was dialled', async (t) => {
  const [web, api] = [await scripted(t), await scripted(t)];
  const relay = await relayTo(t, web, api);
  const client = await relay.connect(TO_WEB);
  client.write(get('api.test'));
  const upstream = await connection(api, 0);
  assert.equal(await upstream.reading.until('\r\n\r\n'), get('api.test'));
  assert.equal(web.connections.length, 0);
  const [start] = relay.report.take(10);
  assert.deepEqual([start?.protocol, start?.host, start?.destination], ['HTTP1', 'api.test', TO_WEB]);
});

test('a request for another service waits for the response before it and goes to that service', async (t) => {
  const [web, api] = [await scripted(t), await scripted(t)];
  const relay = await relayTo(t, web, api);
  const client = await relay.connect(TO_WEB);
  const reading = new Reading(client);
  client.write(get('web.test') + get('api.test', '/1') + get('api.test', '/2'));
  const first = await connection(web, 0);
  assert.equal(await first.reading.until('\r\n\r\n'), get('web.test'));
  first.socket.write(ok('from web').slice(0, 20));
  await reading.until('HTTP');
  assert.equal(api.connections.length, 0);
  first.socket.write(ok('from web').slice(20));
  const second = await connection(api, 0);
  assert.equal(
    await second.reading.until('/2 HTTP/1.1\r\nHost: api.test\r\n\r\n'),
    get('api.test', '/1') + get('api.test', '/2'),
  );
  second.socket.write(ok('one') + ok('two'));
  await reading.until('two');
  assert.equal(reading.text, ok('from web') + ok('one') + ok('two'));
  await first.reading.over();
  assert.deepEqual(
    relay.report.take(10).map(({ host, counters }) => `${host} ${counters.requests} ${counters.bytesReceived}`),
    [`web.test 1 ${ok('from web').length}`, `api.test 2 ${ok('one').length * 2}`],
  );
  assert.equal(await relay.metric('lazyscope_egress_upstreams_replaced_total{reason="Host"}'), 1);
});

test('pipelined requests to one service pass without waiting', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  client.write(get('web.test', '/1') + get('web.test', '/2') + get('web.test', '/3'));
  const upstream = await connection(web, 0);
  await upstream.reading.until('/3');
  upstream.socket.write(ok('1') + ok('2') + ok('3'));
  await new Reading(client).until(ok('3'));
  assert.equal(relay.metrics.traffic.requests, 3);
});

test('an idle upstream that vanishes is not missed: the next request redials', async (t) => {
  for (const leave of ['FIN', 'RST'] as const) {
    const web = await scripted(t);
    const { relay, client, reading, first } = await answeredOnce(t, web);
    if (leave === 'FIN') first.socket.end();
    else first.socket.resetAndDestroy();
    await until(() => first.socket.closed);
    client.write('POST /2 HTTP/1.1\r\nHost: web.test\r\nContent-Length: 4\r\n\r\nbody');
    const second = await connection(web, 1);
    await second.reading.until('body');
    second.socket.write(ok('two'));
    await reading.until('two');
    assert.equal(reading.hasEnded, false, leave);
    assert.equal(await relay.metric('lazyscope_egress_upstreams_replaced_total{reason="Vanished"}'), 1, leave);
  }
});

test('a request that met a closing upstream is sent once more', async (t) => {
  for (const leave of ['FIN', 'RST'] as const) {
    const web = await scripted(t);
    const { relay, client, reading, first } = await answeredOnce(t, web);
    client.write(get('web.test', '/2'));
    await first.reading.until('/2');
    if (leave === 'FIN') first.socket.end();
    else first.socket.resetAndDestroy();
    const second = await connection(web, 1);
    assert.equal(await second.reading.until('\r\n\r\n'), get('web.test', '/2'), leave);
    second.socket.write(ok('two'));
    await reading.until('two');
    assert.equal(relay.metrics.traffic.requests, 2);
    assert.equal(await relay.metric('lazyscope_egress_upstreams_replaced_total{reason="Replayed"}'), 1, leave);
  }
});

test('a server that closes what idles for milliseconds loses no request', async (t) => {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.on('end', () => outgoing.end('ok'));
  });
  // Node adds a second to the keep-alive time that it announces; the test wants to meet the close.
  Object.assign(server, { keepAliveTimeout: 5, keepAliveTimeoutBuffer: 0 });
  const relay = await relayTo(t, await listening(t, server));
  const hammer = async (): Promise<void> => {
    const client = await relay.connect(TO_WEB);
    const reading = new Reading(client);
    for (let sent = 0; sent < 40; sent += 1) {
      client.write('PUT / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 3\r\n\r\nabc');
      await reading.until('ok');
      reading.take();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
    }
  };
  await Promise.all(Array.from({ length: 10 }, hammer));
  assert.equal(relay.metrics.traffic.requests, 400);
});

test('a request that may have been carried out is not sent twice', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  const reading = new Reading(client);
  client.write(get('web.test', '/1'));
  const upstream = await connection(web, 0);
  await upstream.reading.until('\r\n\r\n');
  upstream.socket.write(ok('one'));
  await reading.until('one');
  client.write('POST /2 HTTP/1.1\r\nHost: web.test\r\nContent-Length: 0\r\n\r\n');
  await upstream.reading.until('POST');
  upstream.socket.end();
  assert.equal(await reading.end(), ok('one'));
  assert.equal(web.connections.length, 1);
});

test('a server that closes a fresh connection without an answer is not asked again', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  client.write(get('web.test'));
  const upstream = await connection(web, 0);
  await upstream.reading.until('\r\n\r\n');
  upstream.socket.end();
  assert.equal(await new Reading(client).end(), '');
  assert.equal(web.connections.length, 1);
});

test('what the server announced to close is closed', async (t) => {
  const endings = [
    ok('bye', 'Connection: close'),
    'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nbye',
    'HTTP/1.1 200 OK\r\n\r\nuntil close',
    'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off',
  ];
  for (const ending of endings) {
    const web = await scripted(t);
    const relay = await relayTo(t, web);
    const client = await relay.connect(TO_WEB);
    client.write(get('web.test'));
    const upstream = await connection(web, 0);
    await upstream.reading.until('\r\n\r\n');
    upstream.socket.end(ending);
    assert.equal(await new Reading(client).end(), ending);
  }
});

test('an idle connection is never closed by the relay, and the client may close it', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  const reading = new Reading(client);
  client.write(get('web.test'));
  const upstream = await connection(web, 0);
  upstream.socket.write(ok('one'));
  await reading.until('one');
  upstream.socket.end();
  await upstream.reading.end();
  assert.equal(reading.hasEnded, false);
  client.end();
  await reading.end();
  await until(() => relay.relay.size === 0);
});

test('100-continue, a chunked upload and trailers pass as they are', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  const reading = new Reading(client);
  const head = 'PUT / HTTP/1.1\r\nHost: web.test\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n';
  client.write(head);
  const upstream = await connection(web, 0);
  await upstream.reading.until(head);
  upstream.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  await reading.until('Continue\r\n\r\n');
  const body = '5\r\nhello\r\n0\r\nChecksum: 1\r\n\r\n';
  for (const byte of Buffer.from(body)) client.write(Buffer.from([byte]));
  await upstream.reading.until(body);
  upstream.socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n');
  await reading.until('X: y\r\n\r\n');
  client.write(get('web.test', '/next'));
  await upstream.reading.until('/next');
  assert.equal(web.connections.length, 1);
});

test('50 MB go up and down unharmed while other hosts follow on the same connection', async (t) => {
  const SIZE = 50 * 1024 * 1024;
  const server = createServer((incoming, outgoing) => {
    let received = 0;
    incoming.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    incoming.on('end', () => outgoing.end(`${incoming.headers.host} ${received}`));
  });
  const address = await listening(t, server);
  const relay = await relayTo(t, address);
  const client = await relay.connect(TO_WEB);
  const reading = new Reading(client);
  client.write('PUT / HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  for (let sent = 0; sent < SIZE; sent += chunk.length) {
    client.write(`${chunk.length.toString(16)}\r\n`);
    client.write(chunk);
    if (!client.write('\r\n')) await once(client, 'drain');
  }
  client.write(`0\r\n\r\n${get('api.test')}`);
  await reading.until('api.test 0');
  assert.match(reading.text, new RegExp(`web\\.test ${SIZE}`));
});

test('a WebSocket is a tunnel once the server agrees, and what is sent early is not lost', async (t) => {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(`echo ${data}`)));
  const relay = await relayTo(t, await listening(t, server));
  const tunnel = await relay.connect(TO_WEB);
  const client = new WebSocket('ws://web.test/', { createConnection: () => tunnel });
  await once(client, 'open');
  for (const text of ['one', 'two']) {
    client.send(text);
    const [data] = await once(client, 'message');
    assert.equal(String(data), `echo ${text}`);
  }
  client.close();
  await once(client, 'close');
});

test('an upgrade that the server refuses leaves the connection HTTP/1, other hosts included', async (t) => {
  const [web, api] = [await scripted(t), await scripted(t)];
  const relay = await relayTo(t, web, api);
  const client = await relay.connect(TO_WEB);
  client.write(`GET / HTTP/1.1\r\nHost: web.test\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n${get('api.test')}`);
  const first = await connection(web, 0);
  first.socket.write(ok('no upgrade'));
  const second = await connection(api, 0);
  assert.equal(await second.reading.until('\r\n\r\n'), get('api.test'));
});

test("Node's own client and server work through it, keep-alive and HEAD included", async (t) => {
  const server = createServer((incoming, outgoing) => {
    const body = `${incoming.method} ${incoming.url}`;
    outgoing.writeHead(200, { 'content-length': body.length }).end(body);
  });
  const relay = await relayTo(t, await listening(t, server));
  const tunnel = await relay.connect(TO_WEB);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => tunnel;
  t.after(() => agent.destroy());
  for (const [method, expected] of [
    ['GET', 'GET /1'],
    ['HEAD', ''],
    ['DELETE', 'DELETE /1'],
  ] as const) {
    const call = request({ method, path: '/1', headers: { host: 'web.test' }, agent }).end();
    const [response] = await once(call, 'response');
    let body = '';
    for await (const chunk of response) body += chunk;
    assert.equal(body, expected);
  }
  assert.equal(relay.metrics.traffic.requests, 3);
});

test('a head that is not understood passes on, with all that follows', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  const huge = `GET / HTTP/1.1\r\nHost: web.test\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`;
  client.write(huge);
  const upstream = await connection(web, 0);
  await upstream.reading.untilLength(huge.length);
  client.write('more');
  assert.equal(await upstream.reading.until('more'), `${huge}more`);
  assert.equal(relay.metrics.traffic.observersGivenUp, 1);
});

test('a client that half-closes after its request gets its response', async (t) => {
  const web = await scripted(t);
  const relay = await relayTo(t, web);
  const client = await relay.connect(TO_WEB);
  client.end(get('web.test'));
  const upstream = await connection(web, 0);
  assert.equal(await upstream.reading.end(), get('web.test'));
  upstream.socket.end(ok('late'));
  assert.equal(await new Reading(client).end(), ok('late'));
});
