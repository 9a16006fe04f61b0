import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, getDefaultSettings } from 'node:http2';
import { createConnection } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { AccessLogService, AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import {
  ACCESS_LOG_WINDOW_BYTES,
  createGrpcServer,
  type GrpcServerOptions,
} from '../../../controller/wire/grpc-server.ts';
import { eventually } from '../../support/eventually.ts';

const LOGS = AccessLogService.StreamAccessLogs.path;
const DISCOVERY = AggregatedDiscoveryService.DeltaAggregatedResources.path;
const DEFAULT_BYTES = getDefaultSettings().initialWindowSize ?? 0;

const LOOPBACK = { address: '127.0.0.1', port: 0 };

/** A server whose services read nothing and never answer. */
async function served(t: TestContext, options: Pick<GrpcServerOptions, 'idleMs' | 'maxConnections'> = {}) {
  const server = createGrpcServer({
    accessLogs: { StreamAccessLogs: () => {} },
    discovery: { DeltaAggregatedResources: () => {} },
    ...options,
  });
  const { port } = await server.listen(LOOPBACK);
  t.after(() => server.close(0));
  return { server, port };
}

/** Has not said anything yet. */
function opened(t: TestContext, port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`).on('error', () => {});
  t.after(() => session.destroy());
  return session;
}

/** Whether the server takes it. */
async function isTaken(session: ClientHttp2Session): Promise<boolean> {
  return new Promise((resolve) => {
    session.once('remoteSettings', () => resolve(true)).once('close', () => resolve(false));
  });
}

const closed = (session: ClientHttp2Session): Promise<void> => new Promise((resolve) => session.once('close', resolve));

/** Has its settings. */
async function connected(t: TestContext, port: number): Promise<ClientHttp2Session> {
  const session = opened(t, port);
  await once(session, 'remoteSettings');
  return session;
}

function call(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' };
  return session.request(headers).on('error', () => {});
}

const answered = (session: ClientHttp2Session): Promise<unknown> =>
  new Promise<void>((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));

describe('the gRPC server', () => {
  it('takes a megabyte of access logs ahead of what is read, on the stream and on its connection', async (t) => {
    const session = await connected(t, (await served(t)).port);
    const stream = call(session, LOGS);
    await eventually('the windows are wide', () => session.state.remoteWindowSize === ACCESS_LOG_WINDOW_BYTES);
    assert.equal(session.remoteSettings.initialWindowSize, ACCESS_LOG_WINDOW_BYTES);
    let isSent = false;
    stream.write(Buffer.alloc(ACCESS_LOG_WINDOW_BYTES / 2), () => {
      isSent = true;
    });
    await eventually('half of it is sent, though nothing is read', () => isSent);
  });

  it('says so once, however many streams a connection opens', async (t) => {
    const session = await connected(t, (await served(t)).port);
    let told = 0;
    session.on('remoteSettings', () => {
      told += 1;
    });
    for (let stream = 0; stream < 30; stream += 1) call(session, LOGS);
    await answered(session);
    await answered(session);
    assert.equal(told, 1);
  });

  it('leaves connections without access logs as they are', async (t) => {
    const session = await connected(t, (await served(t)).port);
    call(session, DISCOVERY);
    await answered(session);
    assert.equal(session.remoteSettings.initialWindowSize, DEFAULT_BYTES);
    assert.equal(session.state.remoteWindowSize, DEFAULT_BYTES);
  });

  it('takes so many connections at a time; further ones are closed and counted, until one has gone', async (t) => {
    const { server, port } = await served(t, { maxConnections: 2 });
    const [first] = await Promise.all([connected(t, port), connected(t, port)]);
    assert.equal(await isTaken(opened(t, port)), false);
    assert.deepEqual(server.limits, { GrpcConnections: 1 });
    first.destroy();
    await eventually('there is room', () => isTaken(opened(t, port)));
  });

  it('closes connections without a stream after a while, and no others', async (t) => {
    const { port } = await served(t, { idleMs: 500 });
    const used = await connected(t, port);
    call(used, DISCOVERY);
    const idleClosed = closed(opened(t, port));
    const silent = createConnection(port, '127.0.0.1');
    t.after(() => silent.destroy());
    await Promise.all([idleClosed, once(silent.resume(), 'close')]);
    await answered(used);
  });

  it('goes with the last stream, and ends those that do not end after a while', async (t) => {
    const { server, port } = await served(t);
    const [idle, used] = [await connected(t, port), await connected(t, port)];
    const stream = call(used, DISCOVERY);
    await answered(used);
    const [idleClosed, usedClosed] = [closed(idle), closed(used)];
    const closing = server.close(1_000);
    await idleClosed;
    assert.equal(stream.destroyed, false);
    await Promise.all([closing, usedClosed]);
    assert.equal(await isTaken(opened(t, port)), false);
  });

  it('names an address that cannot be used', async (t) => {
    const { port } = await served(t);
    await assert.rejects(createGrpcServer({}).listen({ address: '127.0.0.1', port }), {
      code: 'InvalidConfiguration',
      message: new RegExp(`^gRPC cannot be served on 127.0.0.1:${port}`),
    });
  });
});
