/** In Istio mode: names that mean a service in the caller's namespace alone are completed on their way. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { PortProtocol, SocketAddress } from '../../controller/core/model.ts';
import { IdentityTable } from '../../egress/identity-table.ts';
import { EGRESS, startHop, testAuthority } from './support/hop.ts';
import { Reading } from './support/reading.ts';
import { startRelay, startServer, type TestRelay } from './support/relay.ts';

/** Namespace of the services that the support makes. */
const NAMESPACE = 'test';

const get = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

async function startEcho(t: TestContext): Promise<SocketAddress> {
  return startServer(t, (socket) => socket.pipe(socket));
}

/** A relay that knows the service `web` at an address, and in which namespace its callers are. */
async function relayTo(t: TestContext, { address, port }: SocketAddress, protocol: PortProtocol): Promise<TestRelay> {
  const identities = new IdentityTable();
  identities.set('caller', { namespace: NAMESPACE, serviceAccount: 'caller', addresses: ['127.0.0.1'] });
  return startRelay(t, { mode: 'istio', services: [{ name: 'web', port, protocol, clusterIP: address }], identities });
}

/** What has arrived once this has, without what arrived before. */
async function arrived(reading: Reading, end: string): Promise<string> {
  await reading.until(end);
  return reading.take();
}

async function sends(client: Socket, reading: Reading, text: string, arrives: string): Promise<void> {
  client.write(text);
  assert.equal(await arrived(reading, arrives), arrives);
}

test('a request for a short name arrives with the full one, and is told as it was sent', async (t) => {
  const server = await startServer(t, (socket) =>
    socket.on('data', (data) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${data.length}\r\n\r\n${data}`)),
  );
  const relay = await relayTo(t, server, 'HTTP');
  const client = await relay.connect(server);
  const reading = new Reading(client);
  for (const [host, arrives] of [
    ['web.test', 'web.test'],
    ['web', 'web.test'],
    ['stranger', 'stranger'],
    ['web:80', 'web.test:80'],
  ] as const) {
    client.write(get(host));
    assert.ok((await arrived(reading, `\r\n\r\n${get(arrives)}`)).endsWith(get(arrives)));
  }
  const told = relay.report.take(10).map(({ host, counters }) => `${host} ${counters.requests}`);
  assert.deepEqual(told, ['web.test 1', 'web 1', 'stranger 1', 'web:80 1']);
  assert.equal(relay.metrics.traffic.connections, 1);
});

test('a head in pieces with pauses is completed too', async (t) => {
  const server = await startEcho(t);
  const relay = await relayTo(t, server, 'HTTP');
  const client = await relay.connect(server);
  const reading = new Reading(client);
  client.write('GET / HTTP/1.1\r\nHo');
  await new Promise((resolve) => setTimeout(resolve, 150));
  await sends(client, reading, 'st: web\r\n\r\n', get('web.test'));
});

test('what is held of a head arrives before the end of the connection', async (t) => {
  const server = await startEcho(t);
  const relay = await relayTo(t, server, 'HTTP');
  for (const text of ['GE', 'GET / HTTP/1.1\r\nHost: web\r\n', `${get('web.test')}GET / HTTP/1.1\r\nHost: w`]) {
    const client = await relay.connect(server);
    const reading = new Reading(client);
    client.end(text);
    await reading.over();
    assert.equal(reading.take(), text);
  }
});

test('another protocol on an HTTP port arrives as it is, at the latest after the look', async (t) => {
  const server = await startEcho(t);
  const relay = await relayTo(t, server, 'HTTP');
  for (const text of ['\x00\x01binary', 'EHLO web\r\n', 'PING', '\x16\x03\x01']) {
    const client = await relay.connect(server);
    const reading = new Reading(client);
    await sends(client, reading, text, text);
    await sends(client, reading, get('web'), get('web'));
  }
});

test('a caller that nobody knows, and a port that is not HTTP, are left alone', async (t) => {
  const server = await startEcho(t);
  const services = [{ name: 'web', port: server.port, protocol: 'HTTP', clusterIP: server.address } as const];
  const relays = [
    await startRelay(t, { mode: 'istio', services }),
    await relayTo(t, server, 'TCP'),
    await relayTo(t, server, 'Auto'),
  ];
  for (const relay of relays) {
    const client = await relay.connect(server);
    await sends(client, new Reading(client), get('web'), get('web'));
  }
});

test('under mTLS the namespace is that of the certificate', async (t) => {
  const server = await startEcho(t);
  const authority = testAuthority();
  const services = [{ name: 'web', port: server.port, protocol: 'HTTP', clusterIP: server.address } as const];
  const hop = await startHop(t, { certificate: authority.issue(EGRESS), services });
  for (const [namespace, arrives] of [
    [NAMESPACE, 'web.test'],
    ['other', 'web'],
  ] as const) {
    const client = await hop.dial(server, authority.issue(`spiffe://cluster.local/ns/${namespace}/sa/caller`));
    await sends(client, new Reading(client), get('web'), get(arrives));
  }
});
