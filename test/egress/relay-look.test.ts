import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { clientHello } from './support/client-hello.ts';
import { Reading } from './support/reading.ts';
import { startRelay, startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const TO_WEB = { address: '10.96.0.1', port: 8080 };
const WEB = { name: 'web', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.1' } as const;

/** Two services of which only `api` answers: what a client gets back went there by its Host. */
async function webAndApi(t: TestContext) {
  const web = await startServer(t, (socket) => socket.resume());
  const api = await startServer(t, (socket) => socket.pipe(socket));
  return [
    { ...WEB, endpoints: [web] },
    { ...WEB, name: 'api', clusterIP: '10.96.0.2', endpoints: [api] },
  ];
}

test('on an HTTP port a silent client is dialled for after a while: its server may speak first', async (t) => {
  const server = await startServer(t, (socket) => socket.write('hello\n'));
  const relay = await startRelay(t, { services: [{ ...WEB, endpoints: [server] }] });
  const client = await relay.connect(TO_WEB);
  await new Reading(client).until('hello\n');
  await until(() => relay.report.hasNews);
  assert.equal(relay.report.take(1)[0]?.protocol, 'TCP');
});

test('a client that first pauses and then speaks HTTP/1 is still routed by Host', async (t) => {
  const relay = await startRelay(t, { services: await webAndApi(t) });
  const client = await relay.connect(TO_WEB);
  await until(() => relay.metrics.traffic.connections > 0);
  const request = 'GET / HTTP/1.1\r\nHost: api.test\r\n\r\n';
  client.write(request);
  await new Reading(client).until(request);
});

test('a head that comes in pieces with pauses is still routed by Host', async (t) => {
  const relay = await startRelay(t, { services: await webAndApi(t) });
  const client = await relay.connect(TO_WEB);
  client.write('GET / HTTP/1.1\r\nHo');
  await until(() => relay.metrics.traffic.connections > 0);
  client.write('st: api.test\r\n\r\n');
  await new Reading(client).until('st: api.test\r\n\r\n');
});

test('other protocols on an HTTP port go by address, without waiting for silence once they are recognised', async (t) => {
  const hello = await clientHello('web.test');
  const payloads = [
    { protocol: 'HTTP2', bytes: Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1') },
    { protocol: 'TLS', bytes: hello },
    { protocol: 'TCP', bytes: Buffer.from('\0\x01binary', 'latin1') },
    { protocol: 'TCP', bytes: Buffer.from('QUIT') },
  ];
  for (const { protocol, bytes } of payloads) {
    const server = await startServer(t, (socket) => socket.pipe(socket));
    const relay = await startRelay(t, { services: [{ ...WEB, endpoints: [server] }] });
    const client = await relay.connect(TO_WEB);
    const reading = new Reading(client);
    client.write(bytes);
    await reading.untilLength(bytes.length);
    assert.deepEqual(reading.bytes, bytes);
    assert.equal(relay.report.take(1)[0]?.protocol, protocol);
  }
});

test('a server name decides only for an address that is no service', async (t) => {
  const hello = await clientHello('vault.test');
  const vault = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t, {
    services: [
      { ...WEB, endpoints: [] },
      { ...WEB, name: 'vault', protocol: 'TLS', clusterIP: '10.96.0.3', endpoints: [vault] },
    ],
  });
  const client = await relay.connect({ address: '203.0.113.9', port: 8080 });
  client.write(hello);
  await new Reading(client).untilLength(hello.length);
});

test('a client that leaves without a word is not dialled for', async (t) => {
  const relay = await startRelay(t, { services: [{ ...WEB, endpoints: [{ address: '127.0.0.1', port: 1 }] }] });
  const client = await relay.connect(TO_WEB);
  client.end();
  await new Reading(client).end();
  await until(() => relay.relay.size === 0);
  assert.equal(relay.report.hasNews, false);
});
