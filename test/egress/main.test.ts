import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { CLUSTER, CLUSTER_LOAD_ASSIGNMENT, type SocketAddress } from '../../controller/core/model.ts';
import { CertificateFolder } from '../../controller/tls/certificate-folder.ts';
import { serverCredentials } from '../../controller/tls/server-credentials.ts';
import { type EgressConfig, egressConfig } from '../../egress/config.ts';
import { type RunningEgress, startEgress } from '../../egress/main.ts';
import { eventually } from '../support/eventually.ts';
import { CertificateFiles, TestAuthority } from '../support/test-authority.ts';
import { assignment, cluster, type FakeController, startController } from './support/controller.ts';
import { CART, handshake } from './support/hop.ts';
import { proxyHeader } from './support/proxy-header.ts';
import { Reading } from './support/reading.ts';
import { startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const TO_WEB = { address: '10.96.0.1', port: 80 };
const CONTROLLER = 'spiffe://cluster.local/ns/test/sa/lazyscope-controller';
const REQUEST = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n';

function config(controller: SocketAddress, changes: Partial<EgressConfig> = {}): EgressConfig {
  const free = { address: '127.0.0.1', port: 0 };
  return {
    ...egressConfig({
      listen: free,
      httpListen: free,
      controller,
      mode: 'direct',
      pod: 'egress-0',
      namespace: 'test',
      clusterDomain: 'cluster.local',
      sourceCidrs: ['127.0.0.0/8'],
      linkLocalAllow: [],
      trustDomainAliases: [],
      maxConnections: 100,
      maxConnectionsPerSource: 100,
      maxHalfOpenPerSource: 100,
      bufferBytes: 65_536,
      reportInterval: 60,
      drainSeconds: 5,
      logLevel: 'silent',
    }),
    ...changes,
  };
}

/** An egress that may relay to loopback, apart from the controller's own address. */
async function egress(controller: FakeController, drainSeconds = 5): Promise<RunningEgress> {
  const logger = pino({ level: 'silent' });
  return startEgress(config(controller.address, { drainSeconds }), 'test', logger, { neverRelayedCidrs: [] });
}

async function connectTo(
  { address, port }: SocketAddress,
  destination: SocketAddress,
  t: TestContext,
): Promise<Socket> {
  const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(proxyHeader({ address: '127.0.0.1', port: socket.localPort ?? 0 }, destination));
  return socket;
}

async function get({ address, port }: SocketAddress, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${address}:${port}${path}`);
  return { status: response.status, text: await response.text() };
}

test('follows the table, relays, reports, and tells how it is', async (t) => {
  const controller = await startController(t);
  const running = await egress(controller);
  t.after(() => running.stop());
  const web = await startServer(t, (socket) => socket.pipe(socket), '127.0.0.2');

  assert.equal((await get(running.httpAddress, '/livez')).status, 200);
  const before = await get(running.httpAddress, '/readyz?verbose');
  assert.deepEqual([before.status, before.text.includes('[-] table')], [503, true]);

  const stream = await controller.adsStream(0);
  controller.push(stream, CLUSTER, [cluster('web', TO_WEB.address)]);
  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [web])]);
  for (;;) if ((await get(running.httpAddress, '/readyz')).status === 200) break;

  const client = await connectTo(running.address, TO_WEB, t);
  client.write(REQUEST);
  await new Reading(client).until(REQUEST);
  const { entries } = await controller.alsStream(0);
  await until(() => entries.length > 0);
  assert.deepEqual([entries[0]?.host, entries[0]?.destination, entries[0]?.answered], ['web.test', TO_WEB, true]);

  const metrics = (await get(running.httpAddress, '/metrics')).text;
  for (const line of [
    'lazyscope_egress_connections 1',
    'lazyscope_egress_requests_total 1',
    'lazyscope_egress_table_service_ports 1',
    'lazyscope_egress_controller_connected{stream="ads"} 1',
    'lazyscope_egress_dials_total{result="Connected"} 1',
  ]) {
    assert.ok(metrics.split('\n').includes(line), line);
  }
  assert.equal((await get(running.httpAddress, '/nothing')).status, 404);
  client.destroy();
});

test('relays on while the controller is away', async (t) => {
  const controller = await startController(t);
  const running = await egress(controller);
  t.after(() => running.stop());
  const web = await startServer(t, (socket) => socket.pipe(socket), '127.0.0.2');
  const stream = await controller.adsStream(0);
  controller.push(stream, CLUSTER, [cluster('web', TO_WEB.address)]);
  controller.push(stream, CLUSTER_LOAD_ASSIGNMENT, [assignment('web', [web])]);
  for (;;) if ((await get(running.httpAddress, '/readyz')).status === 200) break;
  controller.kill();
  for (;;) if ((await get(running.httpAddress, '/readyz?verbose')).text.includes('[!] controller')) break;
  const client = await connectTo(running.address, TO_WEB, t);
  client.write(REQUEST);
  await new Reading(client).until(REQUEST);
  assert.equal((await get(running.httpAddress, '/readyz')).status, 200);
  await controller.start();
  const { entries } = await controller.alsStream(1);
  await until(() => entries.some(({ host }) => host === 'web.test'));
  client.destroy();
});

test('with certificates it is nobody until they are there, then known to sidecars and controller alike', async (t) => {
  const authority = new TestAuthority();
  const files = { egress: new CertificateFiles(), controller: new CertificateFiles(authority.issue(CONTROLLER)) };
  const folder = new CertificateFolder({ path: files.controller.path, onProblem: () => {} });
  await folder.start();
  const controller = await startController(t, serverCredentials(folder));
  const echo = await startServer(t, (socket) => socket.pipe(socket), '127.0.0.2');
  const changes = { mode: 'istio', tlsCertificates: files.egress.path } as const;
  const silent = pino({ level: 'silent' });
  const running = await startEgress(config(controller.address, changes), 'test', silent, { neverRelayedCidrs: [] });
  t.after(async () => {
    await running.stop();
    folder.stop();
    for (const each of [files.egress, files.controller, authority]) each.destroy();
  });
  const verdict = async (): Promise<string> => (await get(running.httpAddress, '/readyz?verbose')).text;
  await eventually('it says what it waits for', async () => (await verdict()).includes('[-] certificates: none yet; '));

  const issued = authority.issue('spiffe://cluster.local/ns/test/sa/lazyscope-egress');
  files.egress.write(issued);
  controller.push(await controller.adsStream(0), CLUSTER, [cluster('web', TO_WEB.address)]);
  await eventually('it is ready', async () => (await verdict()).endsWith('\nready\n'));
  assert.match(
    await verdict(),
    /\[\+\] certificates: spiffe:\/\/cluster.local\/ns\/test\/sa\/lazyscope-egress is valid/,
  );
  const expiry = new X509Certificate(issued.chain).validToDate.getTime() / 1_000;
  const metrics = (await get(running.httpAddress, '/metrics')).text;
  assert.ok(metrics.includes(`lazyscope_certificate_expiry_timestamp_seconds ${expiry}\n`));

  const client = handshake(await connectTo(running.address, echo, t), authority.issue(CART));
  client.write('hello');
  await new Reading(client).until('hello');
  const { entries } = await controller.alsStream(0);
  await until(() => entries.length > 0);

  const own = handshake(await connectTo(running.address, TO_WEB, t), issued);
  await new Reading(own).over();
  assert.ok((await get(running.httpAddress, '/metrics')).text.includes('refused_total{reason="Loop"} 1\n'));
});

test('in Istio mode without certificates it says that the hop is in clear', async (t) => {
  const controller = await startController(t);
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  const running = await startEgress(config(controller.address, { mode: 'istio' }), 'test', logger);
  await running.stop();
  assert.match(lines.join(''), /The hop is in clear: give --tls-certificates/);
});

test('never connects to the controller', async (t) => {
  const controller = await startController(t);
  const running = await egress(controller);
  t.after(() => running.stop());
  const client = await connectTo(running.address, controller.address, t);
  assert.equal(await new Reading(client).over(), 'ECONNRESET');
});

test('on stop it accepts no more, lets connections end, and tells everything before it is gone', async (t) => {
  const controller = await startController(t);
  const running = await egress(controller);
  const echo = await startServer(t, (socket) => socket.pipe(socket), '127.0.0.2');
  const client = await connectTo(running.address, echo, t);
  const reading = new Reading(client);
  client.write('hello');
  await reading.until('hello');
  const stream = await controller.alsStream(0);
  const stopped = running.stop();
  await assert.rejects(connectTo(running.address, echo, t), { code: 'ECONNREFUSED' });
  client.write(' still here');
  await reading.until('still here');
  client.end();
  await stopped;
  assert.equal(stream.entries.at(-1)?.phase, 'End');
});

test('a connection that does not end in time is reset', async (t) => {
  const controller = await startController(t);
  const running = await egress(controller, 0.05);
  const echo = await startServer(t, (socket) => socket.pipe(socket), '127.0.0.2');
  const client = await connectTo(running.address, echo, t);
  const reading = new Reading(client);
  client.write('hello');
  await reading.until('hello');
  await running.stop();
  assert.equal(await reading.over(), 'ECONNRESET');
});

const BIN = fileURLToPath(new URL('../../bin/lazyscope.ts', import.meta.url));

test('as a program it says where it listens and leaves with 0 on SIGTERM', async (t) => {
  const flags = ['--listen', '127.0.0.1:0', '--http-listen', '127.0.0.1:0', '--controller', '127.0.0.1:1'];
  const program = spawn(process.execPath, [BIN, 'egress', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => program.kill('SIGKILL'));
  for await (const line of createInterface(program.stdout)) {
    const { msg, address } = JSON.parse(line);
    if (msg !== 'Listening') continue;
    assert.equal(typeof address.port, 'number');
    break;
  }
  program.stdout.resume();
  program.kill('SIGTERM');
  const [code] = await once(program, 'exit');
  assert.equal(code, 0);
});

test('as a program it ends with 1 and one sentence where it cannot listen', async (t) => {
  const taken = await startServer(t, () => {});
  const flags = ['--listen', `127.0.0.1:${taken.port}`, '--http-listen', '127.0.0.1:0', '--controller', '127.0.0.1:1'];
  const program = spawn(process.execPath, [BIN, 'egress', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
  let message = '';
  program.stderr.on('data', (chunk) => {
    message += chunk;
  });
  const [code] = await once(program, 'close');
  assert.equal(code, 1);
  assert.match(message, /^lazyscope egress cannot start: --listen 127\.0\.0\.1:\d+: .*EADDRINUSE.*\n$/);
});
