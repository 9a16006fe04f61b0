/** What an egress with a sidecar of its own reports and refuses: it dials what the client dialled, whatever it carries. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { AccessLogEntry, PortProtocol, SocketAddress } from '../../controller/core/model.ts';
import { IdentityTable } from '../../egress/identity-table.ts';
import { isOwnInstallation } from '../../egress/own-installation.ts';
import { RoutingTable } from '../../egress/routing-table.ts';
import { clientHello } from './support/client-hello.ts';
import { CART, EGRESS, startHop, testAuthority } from './support/hop.ts';
import { Reading } from './support/reading.ts';
import { setService, startRelay, startServer, type TestRelay } from './support/relay.ts';
import { until } from './support/until.ts';

const get = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** Answers each packet; a request is one here. */
async function startAnswering(t: TestContext): Promise<SocketAddress> {
  return startServer(t, (socket) => socket.on('data', () => socket.write(RESPONSE)));
}

/** A relay in Istio mode whose table declares the destination so; without a protocol it does not know it. */
async function relayTo(t: TestContext, { address, port }: SocketAddress, protocol?: PortProtocol): Promise<TestRelay> {
  const services = protocol ? [{ name: 'web', port, protocol, clusterIP: address }] : [];
  return startRelay(t, { mode: 'istio', services });
}

/** Every entry that is waiting, as protocol and name with requests. */
function told({ report }: TestRelay): readonly string[] {
  const summary = ({ protocol, host, serverName, counters }: AccessLogEntry): string =>
    `${protocol} ${host ?? serverName ?? '-'} ${counters.requests}`;
  return report.take(100).map(summary);
}

async function exchange(client: Socket, reading: Reading, host: string): Promise<void> {
  client.write(get(host));
  await reading.until('ok');
  reading.take();
}

const HOSTS: readonly (readonly [string, PortProtocol | undefined, readonly string[]])[] = [
  ['declared HTTP', 'HTTP', ['HTTP1 web 2', 'HTTP1 cart 1']],
  ['declared gRPC', 'GRPC', ['HTTP1 web 2', 'HTTP1 cart 1']],
  ['of which nothing is declared', 'Auto', ['HTTP1 web 2', 'HTTP1 cart 1']],
  ['that is not registered', undefined, ['HTTP1 web 2', 'HTTP1 cart 1']],
  ['declared TCP, where a Host decides nothing', 'TCP', ['HTTP1 - 1']],
  ['declared TLS, where a Host decides nothing', 'TLS', ['HTTP1 - 1']],
];

for (const [name, protocol, expected] of HOSTS) {
  test(`of requests for several hosts on one connection to a port ${name}: ${expected.join(', ')}`, async (t) => {
    const server = await startAnswering(t);
    const relay = await relayTo(t, server, protocol);
    const client = await relay.connect(server);
    const reading = new Reading(client);
    for (const host of ['web', 'cart', 'web']) await exchange(client, reading, host);
    assert.deepEqual(told(relay), expected);
    assert.equal(relay.metrics.traffic.connections, 1, 'one upstream carries them all');
  });
}

test('bytes count for the host that they were meant for', async (t) => {
  const server = await startAnswering(t);
  const relay = await relayTo(t, server, 'HTTP');
  const client = await relay.connect(server);
  const reading = new Reading(client);
  await exchange(client, reading, 'web');
  await exchange(client, reading, 'longer.name');
  const bytes = relay.report.take(10).map(({ counters }) => [counters.bytesSent, counters.bytesReceived]);
  assert.deepEqual(bytes, [
    [get('web').length, RESPONSE.length],
    [get('longer.name').length, RESPONSE.length],
  ]);
});

test('requests in one packet are all told, and the server gets the packet as it was', async (t) => {
  const received: string[] = [];
  const server = await startServer(t, (socket) =>
    socket.on('data', (chunk) => received.push(chunk.toString('latin1'))),
  );
  const relay = await relayTo(t, server, 'HTTP');
  const client = await relay.connect(server);
  const packet = get('a') + get('b') + get('c');
  client.write(packet);
  await until(() => received.join('').length === packet.length);
  assert.deepEqual([received, told(relay)], [[packet], ['HTTP1 a 1', 'HTTP1 b 1', 'HTTP1 c 1']]);
});

test('a WebSocket is one request, and what it carries is passed on unread', async (t) => {
  const agree = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n\r\n';
  const server = await startServer(t, (socket) => {
    socket.once('data', () => {
      socket.write(agree);
      socket.on('data', (chunk) => socket.write(chunk));
    });
  });
  const relay = await relayTo(t, server, 'HTTP');
  const client = await relay.connect(server);
  const reading = new Reading(client);
  client.write('GET / HTTP/1.1\r\nHost: chat\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await reading.until(agree);
  client.write(get('inside'));
  await reading.until('inside');
  assert.deepEqual(told(relay), ['HTTP1 chat 1']);
  assert.equal(relay.metrics.traffic.observersGivenUp, 0);
});

test('what is not understood any more is passed on, and no more told', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await relayTo(t, echo, 'HTTP');
  const client = await relay.connect(echo);
  const reading = new Reading(client);
  client.write(get('web'));
  // The echo is no response.
  await reading.until('web');
  client.write(get('cart'));
  await reading.until('cart');
  assert.deepEqual(told(relay), ['HTTP1 web 1']);
  assert.equal(relay.metrics.traffic.observersGivenUp, 1);
});

test("TLS inside the hop's own TLS is told by its server name, on any port", async (t) => {
  const authority = testAuthority();
  const server = await startServer(t, (socket) => socket.on('data', () => socket.write('ok')));
  for (const protocol of ['TLS', 'TCP', 'Auto'] as const) {
    const services = [{ name: 'secret', port: server.port, protocol, clusterIP: server.address }];
    const hop = await startHop(t, { certificate: authority.issue(EGRESS), services });
    const client = await hop.dial(server, authority.issue(CART));
    client.write(await clientHello('secret.shop'));
    await new Reading(client).until('ok');
    assert.deepEqual(told(hop), ['TLS secret.shop 0'], protocol);
  }
});

test('HTTP/2 is told by its protocol alone', async (t) => {
  const server = await startAnswering(t);
  const relay = await relayTo(t, server, 'GRPC');
  const client = await relay.connect(server);
  client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await new Reading(client).until('ok');
  assert.deepEqual(told(relay), ['HTTP2 - 0']);
});

test('a server that speaks first is told as TCP', async (t) => {
  const server = await startServer(t, (socket) => socket.write('220 ready\r\n'));
  const relay = await relayTo(t, server, 'TCP');
  await new Reading(await relay.connect(server)).until('ready');
  await until(() => relay.report.hasNews);
  assert.deepEqual(told(relay), ['TCP - 0']);
});

test('the endpoints of a service are not chosen here: the dialled address is dialled', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const elsewhere = { address: '127.0.0.1', port: 1 };
  const services = [
    { name: 'web', port: echo.port, protocol: 'TCP', clusterIP: echo.address, endpoints: [elsewhere] } as const,
  ];
  const relay = await startRelay(t, { mode: 'istio', services });
  const client = await relay.connect(echo);
  client.write('hello');
  await new Reading(client).until('hello');
});

test('a service that is not to be relayed is reset', async (t) => {
  const server = await startServer(t, () => assert.fail('dialled'));
  const services = [
    { name: 'guarded', port: server.port, protocol: 'HTTP', clusterIP: server.address, relayable: false } as const,
  ];
  const relay = await startRelay(t, { mode: 'istio', services });
  assert.equal(await new Reading(await relay.connect(server)).over(), 'ECONNRESET');
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="NotRelayable"}'), 1);
});

test("what belongs to Lazyscope is known by its services' addresses and its pods' identities", () => {
  const table = new RoutingTable();
  setService(table, { name: 'controller', port: 15010, protocol: 'TCP', clusterIP: '10.96.0.9' });
  setService(table, { name: 'web', port: 80, protocol: 'HTTP', clusterIP: '10.96.0.1' });
  const identities = new IdentityTable();
  identities.set('own', { namespace: 'test', serviceAccount: 'lazyscope-controller', addresses: ['10.0.0.9'] });
  identities.set('other', { namespace: 'testing', serviceAccount: 'web', addresses: ['10.0.0.1'] });
  const isOwn = (address: string, port: number, namespace = 'test'): boolean =>
    isOwnInstallation({ address, port }, { namespace, table, identities });
  assert.deepEqual(
    [isOwn('10.96.0.9', 15010), isOwn('10.96.0.9', 15010, 'te'), isOwn('10.0.0.9', 1), isOwn('10.0.0.1', 80)],
    [true, false, true, false],
  );
  assert.equal(isOwn('203.0.113.1', 80), false);
});
