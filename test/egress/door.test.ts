import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { proxyHeader } from './support/proxy-header.ts';
import { Reading } from './support/reading.ts';
import { startRelay, startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const ANYWHERE = { address: '127.0.0.2', port: 9 };

test('a header that is missing, broken or forged closes the connection and is counted', async (t) => {
  const relay = await startRelay(t);
  const table = [
    { reason: 'BrokenHeader', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
    { reason: 'SourceMismatch', bytes: proxyHeader({ address: '127.0.0.9', port: 1 }, ANYWHERE) },
  ] as const;
  for (const { reason, bytes } of table) {
    const socket = await relay.connectBare();
    const reading = new Reading(socket);
    socket.write(bytes);
    await reading.over();
    assert.equal(relay.refusals.pop(), reason);
  }
  assert.equal(relay.report.hasNews, false, 'nothing of it is reported');
});

test('a connection that ends before its header is complete is counted', async (t) => {
  const relay = await startRelay(t);
  const socket = await relay.connectBare();
  const reading = new Reading(socket);
  socket.end(proxyHeader({ address: '127.0.0.1', port: 1 }, ANYWHERE).subarray(0, 20));
  await reading.over();
  assert.deepEqual(relay.refusals, ['ClosedBeforeHeader']);
});

test('a header that does not come is not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const relay = await startRelay(t);
  const socket = await relay.connectBare();
  const reading = new Reading(socket);
  socket.write(proxyHeader({ address: '127.0.0.1', port: 1 }, ANYWHERE).subarray(0, 20));
  await until(() => relay.relay.atTheDoor > 0);
  t.mock.timers.tick(2_000);
  await reading.over();
  assert.deepEqual(relay.refusals, ['HeaderTimeout']);
});

test('a source outside the served ranges is refused', async (t) => {
  const relay = await startRelay(t, { sourceCidrs: ['10.0.0.0/8'] });
  await new Reading(await relay.connect(ANYWHERE)).over();
  assert.deepEqual(relay.refusals, ['SourceNotAllowed']);
});

test('over a limit a connection is refused; one that ends makes room', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t, { limits: { maxConnectionsPerSource: 1 } });
  const first = await relay.connect(echo);
  first.write('hello');
  await new Reading(first).until('hello');
  await new Reading(await relay.connect(echo)).over();
  assert.deepEqual(relay.refusals, ['MaxConnectionsPerSource']);
  first.destroy();
  await once(first, 'close');
  await until(() => relay.relay.size === 0);
  const next = await relay.connect(echo);
  next.write('again');
  await new Reading(next).until('again');
});

test('a header in many pieces is read, and what follows it in the same packet is relayed', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const relay = await startRelay(t);
  const socket = await relay.connectBare();
  socket.setNoDelay(true);
  const reading = new Reading(socket);
  const header = proxyHeader({ address: '127.0.0.1', port: 1 }, echo);
  for (const byte of header.subarray(0, -1)) {
    socket.write(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(Buffer.concat([header.subarray(-1), Buffer.from('payload')]));
  await reading.until('payload');
});

test('what must never be relayed is reset', async (t) => {
  const relay = await startRelay(t, { neverRelayedCidrs: ['127.0.0.0/8'] });
  const table = [
    { name: 'loopback', destination: { address: '127.0.0.1', port: 80 } },
    { name: 'link-local', destination: { address: '169.254.169.254', port: 80 } },
    { name: 'the controller', destination: { address: '192.0.2.1', port: 80 } },
  ];
  for (const { name, destination } of table) {
    assert.equal(await new Reading(await relay.connect(destination)).over(), 'ECONNRESET', name);
  }
  assert.equal(await relay.metric('lazyscope_egress_refused_total{reason="NeverRelayed"}'), table.length);
});

test('the egress itself is never relayed to', async (t) => {
  const relay = await startRelay(t);
  assert.equal(await new Reading(await relay.connect(relay.address)).over(), 'ECONNRESET');
});
