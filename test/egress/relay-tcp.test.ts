import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { clientHello } from './support/client-hello.ts';
import { Reading } from './support/reading.ts';
import { startRelay, startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const DB = { name: 'db', port: 5432, protocol: 'TCP', clusterIP: '10.96.0.5' } as const;
const TO_DB = { address: '10.96.0.5', port: 5432 };

test('an unregistered address is dialled as it is, byte for byte, with half-close in both directions', async (t) => {
  const server = await startServer(t, (socket) => {
    const reading = new Reading(socket);
    void reading.end().then((text) => socket.end(`got ${text}`));
  });
  const relay = await startRelay(t);
  const client = await relay.connect(server);
  const reading = new Reading(client);
  client.end('\0request');
  assert.equal(await reading.end(), 'got \0request');
  assert.equal(await reading.over(), 'FIN');
});

test('a server may end first and still be sent to', async (t) => {
  const received = Promise.withResolvers<string>();
  const server = await startServer(t, (socket) => {
    socket.end('bye');
    void new Reading(socket).end().then(received.resolve);
  });
  const relay = await startRelay(t);
  const client = await relay.connect(server);
  assert.equal(await new Reading(client).end(), 'bye');
  client.write('late ');
  client.end('words');
  assert.equal(await received.promise, 'late words');
});

test('a server that speaks first is heard at once', async (t) => {
  const server = await startServer(t, (socket) => socket.write('220 ready\r\n'));
  const relay = await startRelay(t, { services: [{ ...DB, endpoints: [server] }] });
  const client = await relay.connect(TO_DB);
  assert.equal(await new Reading(client).until('\n'), '220 ready\r\n');
});

test('a reset passes through in both directions', async (t) => {
  const connections: Socket[] = [];
  const server = await startServer(t, (socket) => {
    connections.push(socket);
    socket.write('hello');
  });
  const relay = await startRelay(t);
  const client = await relay.connect(server);
  const reading = new Reading(client);
  await reading.until('hello');
  connections[0]?.resetAndDestroy();
  assert.equal(await reading.over(), 'ECONNRESET');

  const other = await relay.connect(server);
  await new Reading(other).until('hello');
  const [, upstream] = connections;
  assert.ok(upstream);
  const upstreamReading = new Reading(upstream);
  other.resetAndDestroy();
  assert.equal(await upstreamReading.over(), 'ECONNRESET');
});

test('a slow reader slows the sender down, and loses nothing', async (t) => {
  const SIZE = 24 * 1024 * 1024;
  const sent = randomBytes(SIZE);
  const upstream = Promise.withResolvers<Socket>();
  const server = await startServer(t, (socket) => {
    socket.pause();
    upstream.resolve(socket);
  });
  const relay = await startRelay(t);
  const client = await relay.connect(server);
  client.write(sent);
  const socket = await upstream.promise;
  // Until nothing moves any more: kernel buffers are full and the relay has stopped reading.
  for (let before = -1, now = 0; before !== now; now = relay.metrics.traffic.bytesSent) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.ok(relay.metrics.traffic.bytesSent < SIZE, 'not everything was read');
  const hash = createHash('sha256');
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    hash.update(chunk);
    if (received === SIZE) socket.emit('all');
  });
  const all = once(socket, 'all');
  socket.resume();
  await all;
  assert.equal(hash.digest('hex'), createHash('sha256').update(sent).digest('hex'));
});

test('another endpoint is dialled when the first refuses', async (t) => {
  const gone = await startServer(t, () => {});
  gone.server.close();
  await once(gone.server, 'close');
  const server = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t, { services: [{ ...DB, endpoints: [gone, server] }] });
  for (let round = 0; round < 8; round += 1) {
    const client = await relay.connect(TO_DB);
    client.write('ping');
    await new Reading(client).until('ping');
    client.destroy();
  }
  const entries = relay.report.take(10);
  assert.ok(entries.every(({ answered }) => answered));
});

test('where nothing answers the client is reset, and the failure is reported as such', async (t) => {
  const gone = await startServer(t, () => {});
  gone.server.close();
  await once(gone.server, 'close');
  const relay = await startRelay(t, { services: [{ ...DB, endpoints: [gone] }] });
  assert.equal(await new Reading(await relay.connect(TO_DB)).over(), 'ECONNRESET');
  const [entry, ...rest] = relay.report.take(10);
  assert.deepEqual([entry?.answered, entry?.counters.errors, entry?.counters.connections], [false, 1, 0]);
  assert.deepEqual(rest, []);
});

test('a service without ready endpoints, or not relayable, is refused with its reason', async (t) => {
  const relay = await startRelay(t, {
    services: [
      { ...DB, endpoints: [] },
      { ...DB, name: 'guarded', clusterIP: '10.96.0.6', relayable: false },
    ],
  });
  await new Reading(await relay.connect(TO_DB)).over();
  await new Reading(await relay.connect({ ...TO_DB, address: '10.96.0.6' })).over();
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="NoReadyEndpoint"}'), 1);
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="NotRelayable"}'), 1);
  assert.equal(relay.report.hasNews, false);
});

test('a connection is reported once it has shown what it is, and when it ends', async (t) => {
  const server = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t, { services: [{ ...DB, endpoints: [server] }] });
  const client = await relay.connect(TO_DB);
  client.write('\0\x01\x02\x03');
  await new Reading(client).untilLength(4);
  const [start] = relay.report.take(10);
  assert.deepEqual(start, {
    phase: 'Start',
    reporter: start?.reporter,
    answered: true,
    counters: { connections: 1, requests: 0, bytesSent: 4, bytesReceived: 4, errors: 0 },
    startTime: start?.startTime,
    source: { address: '127.0.0.1', port: client.localPort },
    destination: TO_DB,
    protocol: 'TCP',
  });
  client.end();
  await new Reading(client).over();
  await until(() => relay.relay.size === 0);
  const [end] = relay.report.take(10);
  assert.deepEqual([end?.phase, end?.counters.connections], ['End', 0]);
});

test('a silent connection is reported too, when it ends', async (t) => {
  const server = await startServer(t, (socket) => socket.resume().on('end', () => socket.end()));
  const relay = await startRelay(t, { services: [{ ...DB, endpoints: [server] }] });
  const client = await relay.connect(TO_DB);
  await until(() => relay.metrics.traffic.connections > 0);
  client.destroy();
  await until(() => relay.relay.size === 0);
  assert.deepEqual(
    relay.report.take(10).map(({ phase, protocol }) => `${phase} ${protocol}`),
    ['Start TCP', 'End TCP'],
  );
});

test('TLS passes untouched and its server name is reported', async (t) => {
  const hello = await clientHello('db.test.svc.cluster.local');
  const server = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t, { services: [{ ...DB, protocol: 'TLS', endpoints: [server] }] });
  const client = await relay.connect(TO_DB);
  const reading = new Reading(client);
  client.write(hello.subarray(0, 50));
  await reading.untilLength(50);
  client.write(hello.subarray(50));
  await reading.untilLength(hello.length);
  assert.deepEqual(reading.bytes, hello);
  const [start] = relay.report.take(10);
  assert.deepEqual([start?.protocol, start?.serverName], ['TLS', 'db.test.svc.cluster.local']);
});

test('HTTP/1 on a port declared TCP goes by address, and its Host is not reported', async (t) => {
  const server = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t, {
    services: [
      { ...DB, endpoints: [server] },
      { name: 'web', port: 5432, protocol: 'HTTP', clusterIP: '10.96.0.9', endpoints: [] },
    ],
  });
  const client = await relay.connect(TO_DB);
  const request = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';
  client.write(request);
  await new Reading(client).until(request);
  const [start] = relay.report.take(10);
  assert.deepEqual([start?.protocol, start?.host, start?.counters.requests], ['HTTP1', undefined, 1]);
});
