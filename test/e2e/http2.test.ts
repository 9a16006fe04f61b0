/** HTTP/2 and gRPC: the first call through the egress ends as the learned service ends it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';

const HTTP2_PORT = 8081;
const GRPC_PORT = 8082;

let mesh: SmallMesh;
let client: App<'grpc-client'>;
let server: App<'grpc-server'>;

before(async () => {
  mesh = await SmallMesh.start({
    services: {
      h2c: { ports: { http2: HTTP2_PORT } },
      unary: { ports: { grpc: GRPC_PORT } },
      streaming: { ports: { grpc: GRPC_PORT } },
    },
  });
  client = await loadApp(mesh.client, 'grpc-client');
  server = await loadApp(mesh.server, 'grpc-server');
  await server.call('listenGrpc', GRPC_PORT);
});
after(() => mesh.destroy());

/** Connections that the client has opened to gRPC services, as its sidecar counts them. */
async function grpcConnections(): Promise<number> {
  return mesh.client.envoy.admin.stat(`http.outbound_${GRPC_PORT}.downstream_cx_total`);
}

/** What a call came to, and who dialled the server for it. */
interface Called<T> {
  readonly peer: string;
  readonly outcome: T;
}

/** Calls, repeats the call until it is direct, and returns the first and the last outcome. */
async function untilDirect<T>(
  name: string,
  call: () => Promise<Called<T>>,
): Promise<{ readonly relayed: T; readonly direct: T }> {
  const first = await call();
  assert.equal(first.peer, mesh.egress.pod.address, 'the first call crosses the egress');
  return { relayed: first.outcome, direct: await directOutcome(name, call) };
}

/** Waits until the service is learned, and repeats a call until it is direct. */
async function directOutcome<T>(name: string, call: () => Promise<Called<T>>): Promise<T> {
  await mesh.learned(name);
  const { outcome } = await eventually('calls go direct', async () => {
    const next = await call();
    return next.peer === mesh.client.address && next;
  });
  return outcome;
}

test('h2c with prior knowledge: a client connection turns direct from one stream to the next', async () => {
  const { address, port, host } = mesh.service('h2c');
  const http2Client = await loadApp(mesh.client, 'http2-client');
  const http2Server = await loadApp(mesh.server, 'http2-server');
  await http2Server.call('listenHttp2', HTTP2_PORT);
  await http2Client.call('openHttp2', 'only', address, port);

  const { relayed, direct } = await untilDirect('h2c', async () => {
    const request = { path: '/a?b=%2F', authority: host, headers: { 'x-case': 'h2c' }, body: 'some content' };
    const response = await http2Client.call('postHttp2', 'only', request);
    const { peer, ...seen } = await http2Server.call('seenStream', 'h2c');
    return { peer, outcome: { response, seen } };
  });

  assert.deepEqual(relayed, direct);
  assert.equal(direct.response.body, 'received 12 bytes');
  assert.equal(direct.response.trailers['x-sum'], direct.seen.bodyHash);
});

test('gRPC unary: answer, error status and trailers are those of the server', async () => {
  const { address, port, host } = mesh.service('unary');
  const connections = await grpcConnections();
  await client.call('openChannel', 'unary', `${address}:${port}`, host);

  const { relayed, direct } = await untilDirect('unary', async () => {
    const answered = await client.call('unary', 'unary', 'hello', 'unary');
    const peer = await server.call('callPeer', 'unary');
    const failed = await client.call('unary', 'unary', 'fail', 'unary');
    return { peer, outcome: { answered, failed } };
  });

  assert.deepEqual(relayed, direct);
  assert.equal(direct.answered.message, 'hello');
  assert.equal(direct.answered.code, 0);
  assert.equal(direct.failed.details, 'as asked');
  assert.equal(direct.failed.trailers['x-sum'], 'at the end');
  assert.equal(await grpcConnections(), connections + 1, 'the channel keeps its connection');
});

test('gRPC streaming: both directions flow at once, and the trailers come at the end', async () => {
  const { address, port, host } = mesh.service('streaming');
  await client.call('openChannel', 'streaming', `${address}:${port}`, host);
  const begin = async (chat: string): Promise<Called<readonly string[]>> => {
    await client.call('openChat', chat, 'streaming', chat);
    const outcome = [await client.call('say', chat, 'one'), await client.call('say', chat, 'two')];
    return { peer: await server.call('callPeer', chat), outcome };
  };

  // One alone is certainly relayed: the service may be learned by when it has been answered. So it is the one that stays.
  const first = await begin('first');
  assert.equal(first.peer, mesh.egress.pod.address, 'the first call crosses the egress');
  const direct = await directOutcome('streaming', async () => {
    const { peer, outcome: answers } = await begin('next');
    return { peer, outcome: { answers, end: await client.call('endChat', 'next') } };
  });
  assert.equal(await client.call('say', 'first', 'still here'), 'still here');
  const relayed = { answers: first.outcome, end: await client.call('endChat', 'first') };

  assert.deepEqual(relayed, direct);
  assert.deepEqual(direct.answers, ['one', 'two']);
  assert.deepEqual(direct.end, { code: 0, details: 'OK', trailers: { 'x-sum': 'at the end' } });
});
