/** In Istio mode: names in HTTP/2 requests are completed; Node's own client and server say what is right. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type SessionOptions,
  sensitiveHeaders,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { PortProtocol, SocketAddress } from '../../controller/core/model.ts';
import { IdentityTable } from '../../egress/identity-table.ts';
import { startRelay, type TestRelay } from './support/relay.ts';

/** Namespace of the services that the support makes. */
const NAMESPACE = 'test';
const CONNECTIONS = 20;
const REQUESTS = 150;

interface Seen {
  readonly headers: IncomingHttpHeaders;
  readonly sensitive: readonly string[];
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
}

/** Names of the fields that no hop may put into a table. */
function sensitiveOf(headers: object): readonly string[] {
  return (headers as { readonly [sensitiveHeaders]?: readonly string[] })[sensitiveHeaders] ?? [];
}

interface Http2Server extends SocketAddress {
  readonly seen: readonly Seen[];
  readonly sessions: readonly ServerHttp2Session[];
}

async function startHttp2(t: TestContext, options: SessionOptions = {}): Promise<Http2Server> {
  const seen: Seen[] = [];
  const sessions: ServerHttp2Session[] = [];
  const server = createServer(options);
  server.on('session', (session) => {
    sessions.push(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    let trailers: IncomingHttpHeaders = {};
    stream.on('trailers', (received) => {
      trailers = { ...received };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => {});
    stream.on('end', () => {
      seen.push({
        headers: Object.fromEntries(Object.entries(headers)),
        sensitive: sensitiveOf(headers),
        trailers,
        body: Buffer.concat(chunks).toString(),
      });
      stream.respond({ ':status': 200, 'x-number': `${seen.length}` });
      stream.end('ok');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return { address: '127.0.0.1', port: (server.address() as AddressInfo).port, seen, sessions };
}

async function relayTo(t: TestContext, { address, port }: SocketAddress, protocol: PortProtocol): Promise<TestRelay> {
  const identities = new IdentityTable();
  identities.set('caller', { namespace: NAMESPACE, serviceAccount: 'caller', addresses: ['127.0.0.1'] });
  return startRelay(t, { mode: 'istio', services: [{ name: 'web', port, protocol, clusterIP: address }], identities });
}

async function openSession(t: TestContext, relay: TestRelay, to: SocketAddress): Promise<ClientHttp2Session> {
  const socket = await relay.connect(to);
  const session = connect('http://localhost', { createConnection: () => socket, maxSendHeaderBlockLength: 200_000 });
  session.on('error', () => {});
  t.after(() => session.destroy());
  return session;
}

async function post(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body: string): Promise<void> {
  const stream = session.request({ ':method': 'POST', ...headers }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': body.slice(0, 5) || 'none' }));
  stream.end(body);
  stream.resume();
  await once(stream, 'end');
}

test('a request for a short name arrives with the full one; body, trailers and others as they were', async (t) => {
  const server = await startHttp2(t);
  const session = await openSession(t, await relayTo(t, server, 'GRPC'), server);
  for (const authority of ['web.test', 'web', 'stranger', 'web:80'])
    await post(session, { ':authority': authority }, 'hello');
  const [first] = server.seen;
  assert.deepEqual(
    server.seen.map(({ headers }) => headers[':authority']),
    ['web.test', 'web.test', 'stranger', 'web.test:80'],
  );
  assert.deepEqual([first?.body, first?.trailers['x-last']], ['hello', 'hello']);
});

test('requests at the same time on one connection are all completed', async (t) => {
  const server = await startHttp2(t);
  const session = await openSession(t, await relayTo(t, server, 'HTTP2'), server);
  const bodies = Array.from({ length: 50 }, (_, number) => `${number} ${'x'.repeat(number * 1_000)}`);
  await Promise.all(
    bodies.map((body, number) => post(session, { ':authority': number % 2 ? 'web' : 'web.test' }, body)),
  );
  assert.deepEqual(new Set(server.seen.map(({ headers }) => headers[':authority'])), new Set(['web.test']));
  assert.deepEqual(new Set(server.seen.map(({ body }) => body)), new Set(bodies));
});

test('a server that changes the size of its table is obeyed', async (t) => {
  const server = await startHttp2(t);
  const session = await openSession(t, await relayTo(t, server, 'HTTP'), server);
  const headers = { ':authority': 'web', 'x-large': 'y'.repeat(3_000), 'x-other': 'z' };
  await post(session, { ':authority': 'web.test' }, '');
  for (const headerTableSize of [4_096, 0, 100, 65_536]) {
    await new Promise((resolve) => server.sessions[0]?.settings({ headerTableSize }, resolve));
    for (let request = 0; request < 3; request += 1) await post(session, headers, '');
  }
  const told = server.seen
    .slice(1)
    .map(({ headers: seen }) => [seen[':authority'], seen['x-large']?.length, seen['x-other']]);
  assert.deepEqual(told, Array(12).fill(['web.test', 3_000, 'z']));
});

test('a header block that is not understood ends a connection on which a name was completed, with its reason', async (t) => {
  const server = await startHttp2(t);
  const relay = await relayTo(t, server, 'HTTP');
  const session = await openSession(t, relay, server);
  await post(session, { ':authority': 'web' }, '');
  const closed = new Promise((resolve) => session.once('close', resolve));
  session
    .request({ ':authority': 'web', 'x-large': 'y'.repeat(65_000), 'x-larger': 'y'.repeat(65_000) })
    .on('error', () => {});
  await closed;
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="HeadersNotUnderstood"}'), 1);
});

const COMPLETED = new Map([
  ['web', 'web.test'],
  ['web:80', 'web.test:80'],
]);
const NAME = fc.stringMatching(/^x-[a-z]{1,12}$/);
const VALUE = fc.oneof(
  fc.constantFrom('', 'application/grpc', 'gzip, deflate', 'trailers'),
  fc.stringMatching(/^[!-~]([ -~]{0,80}[!-~])?$/),
  fc.stringMatching(/^[!-~]{200,400}$/),
);
/** What a client of Node's sends as it is. */
const REQUEST = fc.record(
  {
    authority: fc.constantFrom('web', 'web.test', 'web:80', 'other', 'web.test.svc'),
    path: fc.stringMatching(/^\/[a-z0-9/]{0,40}$/),
    headers: fc.dictionary(NAME, VALUE, { maxKeys: 12, noNullPrototype: true }),
    sensitive: fc.boolean(),
  },
  { noNullPrototype: true },
);

test(`${CONNECTIONS * REQUESTS} requests with any headers arrive as Node's own server reads them directly`, async (t) => {
  const server = await startHttp2(t);
  const relay = await relayTo(t, server, 'HTTP');
  for (let connection = 0; connection < CONNECTIONS; connection += 1) {
    const session = await openSession(t, relay, server);
    // Connections of which some, and some of which all requests have short names.
    const requests = fc.sample(REQUEST, { numRuns: REQUESTS, seed: connection + 1 });
    for (const { authority, path, headers, sensitive } of requests) {
      const name = connection % 4 === 0 && authority.startsWith('web') ? 'web.test' : authority;
      const marked = sensitive ? Object.keys(headers).slice(0, 2) : [];
      await post(session, { ':authority': name, ':path': path, ...headers, [sensitiveHeaders]: marked }, '');
      const seen = server.seen.at(-1);
      const expected = COMPLETED.get(name) ?? name;
      assert.deepEqual(seen?.headers, {
        ':method': 'POST',
        ':scheme': 'http',
        ':path': path,
        ':authority': expected,
        ...headers,
      });
      assert.deepEqual([...(seen?.sensitive ?? [])].sort(), [...marked].sort());
    }
    session.destroy();
  }
  assert.equal(relay.metrics.traffic.observersGivenUp, 0);
});
