/** The controller's gRPC port under mTLS: real sockets, certificates of an authority of our own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { after, type TestContext, test } from 'node:test';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import { createAccessLogService } from '../../../controller/als/service.ts';
import type { Problem } from '../../../controller/core/ports.ts';
import { CertificateFolder } from '../../../controller/tls/certificate-folder.ts';
import { channelCredentials, MUTUAL_TLS_CHANNEL_OPTIONS } from '../../../controller/tls/channel-credentials.ts';
import { egressAuthorization } from '../../../controller/tls/peer-authorization.ts';
import { serverCredentials } from '../../../controller/tls/server-credentials.ts';
import { encodeIdentifier } from '../../../controller/wire/access-log.ts';
import { AccessLogService, AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { createGrpcServer } from '../../../controller/wire/grpc-server.ts';
import { createAdsService } from '../../../controller/xds/server.ts';
import { MeshSource } from '../../support/ads/mesh-source.ts';
import { eventually } from '../../support/eventually.ts';
import { CertificateFiles, type IssuedCertificate, TestAuthority } from '../../support/test-authority.ts';

const CONTROLLER = 'spiffe://cluster.local/ns/lazyscope/sa/lazyscope-controller';
const EGRESS = 'spiffe://cluster.local/ns/lazyscope/sa/lazyscope-egress';
const CART = 'spiffe://cluster.local/ns/shop/sa/cart';
const MAX_CONNECTIONS = 3;
const NODE = 'egress~10.0.9.9~egress-0.lazyscope~lazyscope.svc.cluster.local';

const authority = new TestAuthority();
const stranger = new TestAuthority();
after(() => {
  authority.destroy();
  stranger.destroy();
});

interface Certified {
  readonly files: CertificateFiles;
  readonly folder: CertificateFolder;
}

async function certified(t: TestContext, certificate: Partial<IssuedCertificate>): Promise<Certified> {
  const files = new CertificateFiles(certificate);
  const folder = new CertificateFolder({ path: files.path, onProblem: () => {}, intervalMs: 5 });
  await folder.start();
  t.after(() => {
    folder.stop();
    files.destroy();
  });
  return { files, folder };
}

/** A controller's gRPC port with both services. */
async function serve(t: TestContext, certificate: Partial<IssuedCertificate> = authority.issue(CONTROLLER)) {
  const { files, folder } = await certified(t, certificate);
  const problems: Problem[] = [];
  const authorize = egressAuthorization({ folder, namespace: 'lazyscope' });
  const accessLogs = createAccessLogService({
    sink: { accessLogs: () => {}, egressRefused: () => {} },
    problem: (problem) => problems.push(problem),
    now: Date.now,
    authorize,
  });
  const logger = pino({ level: 'silent' });
  const ads = createAdsService({ source: new MeshSource(), now: Date.now, logger, authorize });
  const server = createGrpcServer({
    accessLogs: accessLogs.handlers,
    discovery: ads.handlers,
    credentials: serverCredentials(folder),
    maxConnections: MAX_CONNECTIONS,
  });
  const { port } = await server.listen({ address: '127.0.0.1', port: 0 });
  t.after(() => server.close(0));
  return { port, files, folder, problems, counts: accessLogs.counts, limits: server.limits };
}

function connect(t: TestContext, port: number, folder: CertificateFolder, identity = CONTROLLER): Client {
  const client = new Client(
    `127.0.0.1:${port}`,
    channelCredentials(folder, () => identity),
    {
      ...MUTUAL_TLS_CHANNEL_OPTIONS,
      // Else two clients of one process share connections.
      'grpc.use_local_subchannel_pool': 1,
    },
  );
  t.after(() => client.close());
  return client;
}

/** Opens an access log stream, names a node on it, ends it. @returns how the call went */
async function log(client: Client, patienceMs = 5_000): Promise<ServiceError | null> {
  const { path, requestSerialize, responseDeserialize } = AccessLogService.StreamAccessLogs;
  return new Promise((resolve) => {
    const deadline = Date.now() + patienceMs;
    const call = client.makeClientStreamRequest(path, requestSerialize, responseDeserialize, { deadline }, resolve);
    call.on('error', () => {});
    call.end(Buffer.from(encodeIdentifier(NODE)));
  });
}

/** Opens an ADS stream. @returns how it ended */
async function discover(client: Client): Promise<ServiceError> {
  const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  call.on('data', () => {});
  const [error] = await once(call, 'error');
  return error;
}

test('an egress is served, by a controller that it knows', async (t) => {
  const { port, problems, counts } = await serve(t);
  const egress = await certified(t, authority.issue(EGRESS));
  assert.equal(await log(connect(t, port, egress.folder)), null);
  assert.deepEqual([problems, counts.messages, counts.refused], [[], 1, 0]);
});

test('another identity of the mesh is denied both services, and counted', async (t) => {
  const { port, problems, counts } = await serve(t);
  const cart = await certified(t, authority.issue(CART));
  const client = connect(t, port, cart.folder);
  const expected = `${CART} may not connect as an egress; allowed: ${EGRESS}`;
  for (const error of [await log(client), await discover(client)]) {
    assert.deepEqual([error?.code, error?.details], [status.PERMISSION_DENIED, expected]);
  }
  assert.deepEqual([counts.messages, counts.refused], [0, 1]);
  assert.equal(problems[0]?.reason, `refused: ${expected}`);
});

test('a client without a certificate, or with one of another authority, gets no connection', async (t) => {
  const { port, counts } = await serve(t);
  const foreign = await certified(t, { ...stranger.issue(EGRESS), root: authority.root });
  const bare = new Client(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(authority.root)), {
    ...MUTUAL_TLS_CHANNEL_OPTIONS,
    'grpc.use_local_subchannel_pool': 1,
  });
  const plain = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.after(() => {
    bare.close();
    plain.close();
  });
  for (const client of [connect(t, port, foreign.folder), bare, plain]) {
    assert.equal((await log(client))?.code, status.UNAVAILABLE);
  }
  assert.equal(counts.messages, 0);
});

test('an egress sends nothing to a server that is not the controller', async (t) => {
  const { port, counts } = await serve(t, authority.issue(CART));
  const egress = await certified(t, authority.issue(EGRESS));
  const error = await log(connect(t, port, egress.folder));
  assert.equal(error?.code, status.UNAVAILABLE);
  assert.match(error?.details ?? '', new RegExp(`the server is ${CART}, not ${CONTROLLER}`));
  assert.equal(counts.messages, 0);
});

test('certificates that come later, on either side, are waited for', async (t) => {
  const controller = await serve(t, {});
  const egress = await certified(t, {});
  const client = connect(t, controller.port, egress.folder);
  assert.equal((await log(client, 200))?.code, status.DEADLINE_EXCEEDED);
  controller.files.write(authority.issue(CONTROLLER));
  egress.files.write(authority.issue(EGRESS));
  await eventually('both have their certificates', async () => (await log(client, 500)) === null);
});

test('what waits for a handshake counts among the connections, until it has gone', async (t) => {
  const { port, limits } = await serve(t);
  const silent = [];
  for (let index = 0; index < MAX_CONNECTIONS; index += 1) {
    silent.push(createConnection(port, '127.0.0.1').on('error', () => {}));
  }
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const egress = await certified(t, authority.issue(EGRESS));
  assert.notEqual(await log(connect(t, port, egress.folder), 500), null);
  assert.ok(limits.GrpcConnections > 0);
  for (const socket of silent) socket.destroy();
  await eventually('there is room', async () => (await log(connect(t, port, egress.folder), 500)) === null);
});

test('new certificates and roots count for the next connection', async (t) => {
  const controller = await serve(t);
  const egress = await certified(t, authority.issue(EGRESS));
  const before = connect(t, controller.port, egress.folder);
  assert.equal(await log(before), null);

  controller.files.write(stranger.issue(CONTROLLER));
  await eventually('the controller has them', () => controller.folder.current?.root.toString() === stranger.root);
  assert.equal(await log(before), null, 'what is connected stays');
  assert.equal((await log(connect(t, controller.port, egress.folder)))?.code, status.UNAVAILABLE);

  egress.files.write(stranger.issue(EGRESS));
  await eventually('the egress has them', () => egress.folder.current?.root.toString() === stranger.root);
  assert.equal(await log(connect(t, controller.port, egress.folder)), null);
});
