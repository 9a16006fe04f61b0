/** mTLS between sidecars and egress, over real sockets. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { TestAuthority } from '../support/test-authority.ts';
import { CART, EGRESS, handshake, headerFor, secured, startHop, testAuthority } from './support/hop.ts';
import { Reading } from './support/reading.ts';
import { startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const authority = testAuthority();
const egress = authority.issue(EGRESS);
const cart = authority.issue(CART);

const ALPN: readonly (readonly [string, readonly string[], string | false])[] = [
  ['what sidecars offer for TCP', ['istio-peer-exchange', 'istio'], 'istio'],
  ['what sidecars offer for HTTP/2', ['istio', 'h2'], 'istio'],
  ['what sidecars with an HTTP filter of Istio offer', ['istio-http/1.1', 'istio', 'http/1.1'], 'istio'],
  ['HTTP/2 alone', ['h2'], 'h2'],
  ['HTTP/1.1 alone', ['http/1.1'], 'http/1.1'],
  ['nothing', [], false],
];

for (const [name, offered, expected] of ALPN) {
  test(`a client that offers ${name} is relayed, with ${expected || 'no'} protocol agreed`, async (t) => {
    const echo = await startServer(t, (socket) => socket.pipe(socket));
    const hop = await startHop(t, { certificate: egress });
    const client = await secured(await hop.dial(echo, cart, { ALPNProtocols: [...offered] }));
    assert.equal(client.alpnProtocol, expected);
    client.write('hello');
    assert.equal(await new Reading(client).until('hello'), 'hello');
    assert.equal(hop.hop.size, 0);
  });
}

test('what is relayed is reported with the source and destination of the header', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: egress });
  const client = await hop.dial(echo, cart);
  client.write('GET / HTTP/1.1\r\nHost: web.test\r\n\r\n');
  await new Reading(client).until('\r\n\r\n');
  const [entry] = hop.report.take(1);
  assert.deepEqual([entry?.source.address, entry?.destination.port, entry?.host], ['127.0.0.1', echo.port, 'web.test']);
});

/** Below a TLS client: sends everything of one turn of the event loop in one packet. */
function coalescing(socket: Socket, prefix: Buffer): Duplex {
  let waiting: Buffer[] = [prefix];
  let isScheduled = false;
  const send = (): void => {
    isScheduled = false;
    socket.write(Buffer.concat(waiting));
    waiting = [];
  };
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      waiting.push(chunk);
      if (!isScheduled) setImmediate(send);
      isScheduled = true;
      done();
    },
  });
  socket.on('data', (chunk) => wire.push(chunk));
  return wire;
}

test('header and hello in one packet, then the end of the handshake and the first bytes in one', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: egress });
  const socket = await hop.connectBare();
  const client = handshake(coalescing(socket, headerFor(socket, echo)) as Socket, cart);
  client.write('first');
  assert.equal(await new Reading(client).until('first'), 'first');
});

test('a hello in many packets is read', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: egress });
  const socket = await hop.connectBare();
  socket.write(headerFor(socket, echo));
  const wire = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (const byte of chunk) socket.write(Buffer.of(byte));
      done();
    },
  });
  socket.on('data', (chunk) => wire.push(chunk));
  const client = handshake(wire as Socket, cart);
  client.write('bytes');
  assert.equal(await new Reading(client).until('bytes'), 'bytes');
});

test('a server that speaks first is heard at once', async (t) => {
  const server = await startServer(t, (socket) => socket.write('220 ready\r\n'));
  const hop = await startHop(t, { certificate: egress });
  assert.equal(await new Reading(await hop.dial(server, cart)).until('\n'), '220 ready\r\n');
});

test('half-close passes in both directions', async (t) => {
  const server = await startServer(t, (socket) => {
    void new Reading(socket).end().then((text) => socket.end(`got ${text}`));
  });
  const hop = await startHop(t, { certificate: egress });
  const client = await hop.dial(server, cart);
  const reading = new Reading(client);
  client.end('request');
  assert.equal(await reading.end(), 'got request');

  const received = Promise.withResolvers<string>();
  const first = await startServer(t, (socket) => {
    socket.end('bye');
    void new Reading(socket).end().then(received.resolve);
  });
  const other = await hop.dial(first, cart);
  assert.equal(await new Reading(other).end(), 'bye');
  other.end('late words');
  assert.equal(await received.promise, 'late words');
  await until(() => hop.relay.size === 0);
});

test('a reset passes in both directions', async (t) => {
  const connections: Socket[] = [];
  const server = await startServer(t, (socket) => {
    connections.push(socket);
    socket.write('hello');
  });
  const hop = await startHop(t, { certificate: egress });
  const client = await hop.dial(server, cart);
  const reading = new Reading(client);
  await reading.until('hello');
  connections[0]?.resetAndDestroy();
  assert.equal(await reading.over(), 'ECONNRESET');

  const socket = await hop.connect(server);
  const other = handshake(socket, cart);
  await new Reading(other).until('hello');
  const [, upstream] = connections;
  assert.ok(upstream);
  const upstreamReading = new Reading(upstream);
  socket.resetAndDestroy();
  assert.equal(await upstreamReading.over(), 'ECONNRESET');
});

test('where nothing answers the client is reset', async (t) => {
  const gone = await startServer(t, () => {});
  gone.server.close();
  await once(gone.server, 'close');
  const hop = await startHop(t, { certificate: egress });
  assert.equal(await new Reading(await hop.dial(gone, cart)).over(), 'ECONNRESET');
});

const SIZE = 16 * 1024 * 1024;
const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Resolves with the hash of all that a socket receives until its end. */
async function received(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (chunk: Buffer) => hash.update(chunk));
  socket.resume();
  await once(socket, 'end');
  return hash.digest('hex');
}

test('a slow server slows the client down, and nothing is lost', async (t) => {
  const sent = randomBytes(SIZE);
  const upstream = Promise.withResolvers<Socket>();
  const server = await startServer(t, (socket) => {
    socket.pause();
    upstream.resolve(socket);
  });
  const hop = await startHop(t, { certificate: egress });
  (await hop.dial(server, cart)).end(sent);
  const socket = await upstream.promise;
  const { traffic } = hop.metrics;
  await untilStill(() => traffic.bytesSent);
  assert.ok(traffic.bytesSent < SIZE / 2, `${traffic.bytesSent} bytes were read ahead`);
  assert.ok(traffic.pauses > 0);
  assert.equal(await received(socket), hashOf(sent));
});

test('a slow client slows the server down, and nothing is lost', async (t) => {
  const sent = randomBytes(SIZE);
  const server = await startServer(t, (socket) => socket.end(sent));
  const hop = await startHop(t, { certificate: egress });
  const client = await hop.dial(server, cart);
  client.pause();
  const { traffic } = hop.metrics;
  await until(() => traffic.bytesReceived > 0);
  await untilStill(() => traffic.bytesReceived);
  assert.ok(traffic.bytesReceived < SIZE / 2, `${traffic.bytesReceived} bytes were read ahead`);
  assert.ok(traffic.pauses > 0);
  assert.equal(await received(client), hashOf(sent));
});

/** Until nothing moves any more: the kernel's buffers are full. */
async function untilStill(value: () => number): Promise<void> {
  for (let before = -1, now = value(); before !== now; now = value()) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('much in both directions at once arrives as it was sent', async (t) => {
  const [there, back] = [randomBytes(SIZE), randomBytes(SIZE)];
  const hashes = Promise.withResolvers<string>();
  const server = await startServer(t, (socket) => {
    socket.end(back);
    void received(socket).then(hashes.resolve);
  });
  const hop = await startHop(t, { certificate: egress });
  const client = await hop.dial(server, cart);
  client.end(there);
  assert.deepEqual([await received(client), await hashes.promise], [hashOf(back), hashOf(there)]);
  await until(() => hop.relay.size === 0);
});

test('a thousand connections leave nothing behind', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: egress });
  const round = async (): Promise<void> => {
    const client = await hop.dial(echo, cart);
    client.end('hello');
    await new Reading(client).end();
  };
  for (let batch = 0; batch < 50; batch += 1) await Promise.all(Array.from({ length: 20 }, round));
  await until(() => hop.relay.size === 0 && hop.relay.atTheDoor === 0);
  assert.deepEqual([hop.hop.size, hop.limits.open, hop.refusals.length], [0, 0, 0]);
  assert.equal(hop.metrics.traffic.connections, 1_000);
});

test('a session that is resumed is known by the certificate that it began with', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const addresses = ['127.0.0.1'];
  const hop = await startHop(t, {
    certificate: egress,
    identities: [{ namespace: 'shop', serviceAccount: 'cart', addresses }],
  });
  for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
    const first = await hop.dial(echo, cart, { maxVersion });
    const session = once(first, 'session');
    first.write('hello');
    await new Reading(first).until('hello');
    const [ticket] = await session;
    const again = await secured(await hop.dial(echo, cart, { maxVersion, session: ticket }));
    assert.equal(again.isSessionReused(), true, maxVersion);
    again.write('again');
    await new Reading(again).until('again');
  }
  assert.deepEqual(hop.refusals, []);
});

test('new certificates count for the next connection, and what is open stays', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: egress });
  const before = await secured(await hop.dial(echo, cart));
  const renewed = authority.issue(EGRESS);
  hop.files.write(renewed);
  await eventually('the new ones are read', () => hop.folder.current?.chain.toString() === renewed.chain);
  const next = await secured(await hop.dial(echo, cart));
  assert.notEqual(next.getPeerCertificate().serialNumber, before.getPeerCertificate().serialNumber);
  before.write('still here');
  await new Reading(before).until('still here');
});

test('a new root is trusted, and the old one no more', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: egress });
  const other = new TestAuthority();
  t.after(() => other.destroy());
  hop.files.write(other.issue(EGRESS));
  await eventually('the new ones are read', () => hop.folder.current?.root.toString() === other.root);
  const fresh = await hop.dial(echo, other.issue(CART));
  fresh.write('hello');
  await new Reading(fresh).until('hello');
  await new Reading(await hop.dial(echo, { ...cart, root: other.root })).over();
  assert.deepEqual(hop.refusals, ['TlsHandshakeFailed']);
});
