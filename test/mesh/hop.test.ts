/** The hop from real sidecars to the egress under STRICT, before anything is learned; there is no controller. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadApp } from '../support/apps/load-app.ts';
import type { Egress } from '../support/bed/egress.ts';
import type { EnvoyAdmin } from '../support/bed/envoy-admin.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import type { Agent } from './bed/agent.ts';
import { Calls } from './bed/calls.ts';
import type { StoredObject } from './bed/kubernetes-client.ts';
import { egressPod, makeLazy, startEgress } from './bed/lazy.ts';
import { MeshBed } from './bed/mesh-bed.ts';

const [HTTP1, HTTP2, GRPC, TCP, ECHO] = [8080, 8081, 8082, 9000, 9001];
/** Of the test's server that speaks first. */
const GREETING = '220 ready\r\n';

let mesh: MeshBed;
let server: Pod;
let client: Pod;
let agent: Agent;
let egress: Egress;
let egressAdmin: EnvoyAdmin;
let calls: Calls;

before(async () => {
  mesh = await MeshBed.start({ mutualTls: 'Strict' });
  server = await mesh.pod('server-0');
  client = await mesh.pod('client-0');
  calls = await Calls.serve(mesh, server, { http1: [HTTP1], http2: HTTP2, grpc: GRPC, tcp: [TCP] });
  await (await loadApp(server, 'tcp-server')).call('listenServerFirst', ECHO);
  const pod = await egressPod(mesh);
  const [clientAgent, egressAgent] = await Promise.all([client, pod, server].map((each) => mesh.startAgent(each)));
  assert.ok(clientAgent && egressAgent);
  agent = clientAgent;
  egressAdmin = egressAgent.admin;
  egress = await startEgress(mesh, pod, { 'tls-certificates': egressAgent.certificates });
  await makeLazy(mesh, { client, admin: agent.admin, egress, httpPort: HTTP1, mutualHop: true });
});
after(() => mesh.destroy());

async function service(name: string, ports: Readonly<Record<string, number>>): Promise<ServiceHandle> {
  const handle = await mesh.service({ name, ports, pods: [server] });
  const cluster = `outbound|${handle.port}||${handle.host}`;
  await eventually('the sidecar of the egress knows it', async () => (await egressAdmin.clusters()).includes(cluster));
  return handle;
}

async function relayed(): Promise<number> {
  return egress.metric('lazyscope_egress_connections_total');
}

async function refused(reason = ''): Promise<number> {
  return egress.metric('lazyscope_egress_refused_total', reason);
}

const PROTOCOLS: Readonly<
  Record<string, { readonly port: number; readonly call: (to: ServiceHandle) => Promise<unknown> }>
> = {
  http: { port: HTTP1, call: (to) => calls.http1(client, to) },
  http2: { port: HTTP2, call: (to) => calls.http2(client, to) },
  grpc: { port: GRPC, call: (to) => calls.grpc(client, to) },
  'http-chat': { port: HTTP1, call: (to) => calls.webSocket(client, to) },
  tcp: { port: TCP, call: (to) => calls.tcp(client, to) },
};

for (const [name, { port, call }] of Object.entries(PROTOCOLS)) {
  test(`${name}: the first call crosses the hop and reaches a STRICT server`, async () => {
    const to = await service(`first-${name}`, { [name]: port });
    const before = await relayed();
    await call(to);
    assert.equal(await relayed(), before + 1);
    assert.equal(await refused(), 0);
  });
}

test('the server is shown the egress, not its caller', async () => {
  const { identity } = await calls.http1Caller(client, await service('shown', { http: HTTP1 }));
  assert.equal(identity, 'spiffe://cluster.local/ns/lazyscope/sa/egress');
});

test('sidecars offer a protocol that the egress speaks, on raw connections as on those of HTTP', async () => {
  const dump = await agent.admin.get('/config_dump?resource=dynamic_active_clusters');
  const { configs } = JSON.parse(dump) as {
    readonly configs: readonly { readonly cluster: { readonly name: string } }[];
  };
  const hop = configs.find(({ cluster }) => cluster.name.startsWith('outbound|15080||'));
  const offered = [...JSON.stringify(hop).matchAll(/"alpn_protocols":(\[[^\]]*\])/g)].map(([, list]) => list);
  assert.ok(offered.length > 0 && offered.every((list) => list?.includes('"istio"')), `${offered}`);
});

test('half a megabyte each way arrives as it was sent', async () => {
  const to = await service('bulk', { tcp: ECHO });
  const exchange = await (await loadApp(client, 'tcp-client')).call('echoExchange', to, GREETING.length, 500_000);
  assert.deepEqual([exchange.greeting, exchange.receivedHash], [GREETING, exchange.sentHash]);
});

test('an HTTP connection that idles is closed by the sidecar, one of TCP stays', async () => {
  const lines = await loadApp(client, 'tcp-client');
  await lines.call('openLine', 'idle', await service('line', { tcp: ECHO }), GREETING.length);
  await calls.http1(client, await service('idle', { http: HTTP1 }));
  const open = await egress.metric('lazyscope_egress_connections');
  await eventually(
    'the sidecar has closed it',
    async () => (await egress.metric('lazyscope_egress_connections')) < open,
  );
  assert.equal(await lines.call('echoLine', 'idle', 'hello'), 'hello');
});

const EGRESS_SERVICE = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'egress', namespace: 'lazyscope' } };

interface EgressService extends StoredObject {
  readonly spec: { readonly clusterIP: string };
}

const REQUEST = 'GET /peer HTTP/1.1\r\nhost: web\r\nx-case: stranger\r\n\r\n';

test('who is no pod of the mesh, or comes in clear, is refused', async () => {
  const stranger = await mesh.pod('stranger-0', { interception: 'none' });
  const app = await loadApp(stranger, 'hop-client');
  const destination = await service('wanted', { http: HTTP1 });
  const before = await relayed();
  assert.equal(await app.call('callThroughHop', { egress: egress.listen, destination, request: REQUEST }), '');
  assert.equal(await refused('TlsHandshakeFailed'), 1);
  const raw = await loadApp(stranger, 'raw-client');
  assert.equal((await raw.call('sendRaw', egress.listen, Buffer.from(REQUEST), 1)).received, '');
  assert.equal(await refused('BrokenHeader'), 1);
  assert.equal(await relayed(), before);
});

test('what calls the egress by its own address goes round once, and is refused as what has been there', async () => {
  const { spec } = (await mesh.client.get<EgressService>(EGRESS_SERVICE)) ?? assert.fail('no Service');
  const to = { address: spec.clusterIP, port: egress.listen.port };
  const before = { relayed: await relayed(), loops: await refused('Loop') };
  const answer = await (await loadApp(client, 'raw-client')).call('sendRaw', to, Buffer.from(REQUEST), 1);
  assert.doesNotMatch(answer.received, /^HTTP\/1.1 2/);
  const loops = (await refused('Loop')) - before.loops;
  assert.ok(loops > 0);
  assert.equal((await relayed()) - before.relayed, loops, 'no round more');
});
