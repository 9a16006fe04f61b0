/** The main protocols with the real istio-agent under STRICT mTLS, on every hop. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import { virtualService } from './bed/istio-objects.ts';

const [HTTP1, HTTP2, GRPC, TCP, TLS] = [8080, 8081, 8082, 9000, 9443];
const EGRESS_IDENTITY = 'spiffe://cluster.local/ns/lazyscope/sa/lazyscope-egress';

let mesh: IstioMesh;
let server: Pod;
let calls: Calls;

before(async () => {
  mesh = await IstioMesh.start({ mutualTls: 'Strict' });
  await mesh.enforce('shop');
  server = await mesh.client('server-0', { annotations: { 'lazyscope.io/mode': 'Off' } });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP1], http2: HTTP2, grpc: GRPC, tcp: [TCP], tls: [TLS] });
});
after(() => mesh.destroy());

async function service(
  name: string,
  ports: Readonly<Record<string, number>>,
  headless = false,
): Promise<ServiceHandle> {
  return mesh.service({ name, ports, pods: [server], headless });
}

/** Connections that the egress has taken so far. */
async function relayed(): Promise<number> {
  return mesh.egress.metric('lazyscope_egress_connections_total');
}

/** Servers see the address of their own sidecars here: the egress tells which way a call took. */
async function assertLearned(client: Pod, to: { readonly key: string }, call: () => Promise<unknown>): Promise<void> {
  const before = await relayed();
  await call();
  assert.ok((await relayed()) > before, 'the first call crosses the egress');
  await mesh.learned(client, to);
  await eventually('calls go direct', async () => {
    const count = await relayed();
    await call();
    return (await relayed()) === count;
  });
  const edges = await mesh.controller.api.edges(client.workload);
  assert.deepEqual([...new Set(edges.map((edge) => `${edge.to} ${edge.state}`))], [`${to.key} active`]);
}

test('HTTP/1: the server is shown the egress first, then the client itself', async () => {
  const [to, client] = [await service('http1', { http: HTTP1 }), await mesh.lazyClient('http1')];
  assert.equal((await calls.http1Caller(client, to)).identity, EGRESS_IDENTITY);
  await mesh.learned(client, to);
  const own = 'spiffe://cluster.local/ns/shop/sa/http1';
  await eventually('calls go direct', async () => (await calls.http1Caller(client, to)).identity === own);
});

test('HTTP/2 without TLS', async () => {
  const [to, client] = [await service('http2', { http2: HTTP2 }), await mesh.lazyClient('http2')];
  await assertLearned(client, to, () => calls.http2(client, to));
});

test('gRPC', async () => {
  const [to, client] = [await service('grpc', { grpc: GRPC }), await mesh.lazyClient('grpc')];
  await assertLearned(client, to, () => calls.grpc(client, to));
});

test('WebSocket', async () => {
  const [to, client] = [await service('websocket', { http: HTTP1 }), await mesh.lazyClient('websocket')];
  await assertLearned(client, to, () => calls.webSocket(client, to));
});

test('TCP whose server speaks first', async () => {
  const [to, client] = [await service('tcp', { tcp: TCP }), await mesh.lazyClient('tcp')];
  await assertLearned(client, to, () => calls.tcp(client, to));
});

test('TLS of the application', async () => {
  const [to, client] = [await service('tls', { tls: TLS }), await mesh.lazyClient('tls')];
  await assertLearned(client, to, () => calls.tls(client, to));
});

test('A headless service, by name and by pod name', async () => {
  const [to, client] = [await service('headless', { http: HTTP1 }, true), await mesh.lazyClient('headless')];
  await assertLearned(client, to, () => calls.http1(client, to));
  const before = await relayed();
  await calls.http1(client, { ...to, host: `${server.name}.${to.host}` });
  assert.equal(await relayed(), before);
});

test('By its short name: HTTP/1, with and without a port', async () => {
  const to = await service('short', { http: HTTP1 });
  for (const [name, host] of Object.entries({
    'by-short-name': to.name,
    'by-short-name-and-port': `${to.name}:${to.port}`,
  })) {
    const client = await mesh.lazyClient(name);
    await assertLearned(client, to, () => calls.http1(client, { ...to, host }));
  }
});

test('By its short name: HTTP/2 without TLS', async () => {
  const [to, client] = [await service('short2', { http2: HTTP2 }), await mesh.lazyClient('short2')];
  await assertLearned(client, to, () => calls.http2(client, { ...to, host: to.name }));
});

test('By its full name and its short one, both before it is learned', async () => {
  const [to, client] = [await service('mixed-names', { http2: HTTP2 }), await mesh.lazyClient('mixed-names')];
  const other = await service('other-names', { http: HTTP1 });
  // The sidecar keeps its HTTP/2 connection to the egress, whose header blocks build on one another.
  for (const host of [to.host, to.name, to.host, `${to.name}:${to.port}`, to.name]) {
    await calls.http2(client, { ...to, host });
    await calls.http1(client, { ...other, host: host.replace(to.name, other.name) });
  }
  assert.equal(await mesh.egress.refusals('HeadersNotUnderstood'), 0);
});

test('By its short name: gRPC', async () => {
  const [to, client] = [await service('short-grpc', { grpc: GRPC }), await mesh.lazyClient('short-grpc')];
  await assertLearned(client, to, () => calls.grpc(client, { ...to, host: `${to.name}:${to.port}` }));
});

test('By its short name: WebSocket', async () => {
  const [to, client] = [await service('short-ws', { http: HTTP1 }), await mesh.lazyClient('short-ws')];
  await assertLearned(client, to, () => calls.webSocket(client, { ...to, host: to.name }));
});

test('By its short name: HTTP/1 on a port of which nothing is declared', async () => {
  const [to, client] = [await service('short-sniffed', { web: HTTP1 }), await mesh.lazyClient('short-sniffed')];
  await assertLearned(client, to, () => calls.http1(client, { ...to, host: to.name }));
});

test('By its short name: a headless service and a pod of it', async () => {
  const [to, client] = [await service('hl', { http: HTTP1 }, true), await mesh.lazyClient('hl')];
  const pod = { ...to, host: `${server.name}.${to.name}` };
  assert.equal((await calls.http1Caller(client, pod)).identity, EGRESS_IDENTITY);
  await assertLearned(client, to, () => calls.http1(client, pod));
  await calls.http1(client, { ...to, host: to.name });
});

test('The host of a VirtualService that is no service', async () => {
  const [host, behind] = ['shop.example.com', await service('behind', { http: HTTP1 })];
  const route = [{ destination: { host: behind.host, port: { number: HTTP1 } } }];
  await mesh.bed.client.apply(virtualService(host, [{ route }]));
  const client = await mesh.lazyClient('virtual');
  const to = { key: `shop/${host}`, host, address: '10.200.0.99', port: 80 };
  await eventually('the egress applies the VirtualService', () => calls.http1(mesh.egress.pod, to));
  await assertLearned(client, to, () => calls.http1(client, to));
});

test('Controller and egress know each other by their certificates', async () => {
  const { ready, egresses } = await mesh.controller.api.status();
  assert.equal(egresses, 1);
  assert.deepEqual(
    ready.filter(({ ok, degraded }) => !ok || degraded),
    [],
  );
});
