import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, getDefaultSettings } from 'node:http2';
import { describe, it, type TestContext } from 'node:test';
import { ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { AccessLogService, AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';
import { ACCESS_LOG_WINDOW_BYTES, createGrpcServer } from '../../../controller/wire/grpc-server.ts';
import { eventually } from '../../support/eventually.ts';

const LOGS = AccessLogService.StreamAccessLogs.path;
const DISCOVERY = AggregatedDiscoveryService.DeltaAggregatedResources.path;
const DEFAULT_BYTES = getDefaultSettings().initialWindowSize ?? 0;

/** A connection to a server whose services read nothing. */
async function connected(t: TestContext): Promise<ClientHttp2Session> {
  const server = createGrpcServer();
  const unread: UntypedServiceImplementation = { StreamAccessLogs: () => {}, DeltaAggregatedResources: () => {} };
  server.addService(AccessLogService, unread);
  server.addService(AggregatedDiscoveryService, unread);
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number): void => (error ? reject(error) : resolve(at));
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), bound);
  });
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(() => {
    session.destroy();
    server.forceShutdown();
  });
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
    const session = await connected(t);
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
    const session = await connected(t);
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
    const session = await connected(t);
    call(session, DISCOVERY);
    await answered(session);
    assert.equal(session.remoteSettings.initialWindowSize, DEFAULT_BYTES);
    assert.equal(session.state.remoteWindowSize, DEFAULT_BYTES);
  });
});
