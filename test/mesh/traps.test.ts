/** What goes wrong in a mesh where lazy and eager sidecars, and ports with and without HTTP, live side by side. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { EdgeReport } from '../../controller/core/report.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import { serviceEntry } from './bed/istio-objects.ts';

const [HTTP, LONELY_HTTP, TCP, TLS, CAPTURING] = [8080, 8099, 9000, 9443, 9007];
/** The cloud's metadata. */
const METADATA = '169.254.169.254';

let mesh: IstioMesh;
let server: Pod;
let outside: Pod;
let calls: Calls;
let outsideCalls: Calls;

before(async () => {
  // No VirtualService here: one that only eager sidecars see is part of the key of istiod's route cache, and hides the trap.
  mesh = await IstioMesh.start();
  await mesh.enforce('shop');
  server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  outside = mesh.bed.bed.pod('outside-0', { interception: 'none' });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP, LONELY_HTTP], tcp: [TCP, 8081], tls: [TLS] });
  outsideCalls = await Calls.serve(mesh.bed, outside, { http1: [80], tcp: [CAPTURING], tls: [443] });
});
after(() => mesh.destroy());

async function service(name: string, ports: Readonly<Record<string, number>>): Promise<ServiceHandle> {
  return mesh.service({ name, ports, pods: [server] });
}

/** Waits for an edge that stays on the egress. */
async function relayed(client: Pod, reason: EdgeReport['relayReason']): Promise<EdgeReport> {
  return eventually(`${client.workload} has a relayed edge: ${reason}`, async () =>
    (await mesh.controller.api.edges(client.workload)).find(({ relayReason }) => relayReason === reason),
  );
}

/** Where a sidecar sends HTTP requests to unknown hosts, by port. */
async function unknownHostsGo(client: Pod): Promise<ReadonlyMap<string, string>> {
  interface Route {
    readonly route_config: {
      readonly name: string;
      readonly virtual_hosts?: readonly {
        readonly name: string;
        readonly routes?: readonly { readonly route?: { readonly cluster?: string } }[];
      }[];
    };
  }
  const { dynamic_route_configs: routes = [] } = (await mesh.admin(client).dump('RoutesConfigDump')) as {
    readonly dynamic_route_configs?: readonly Route[];
  };
  return new Map(
    routes.map(({ route_config: { name, virtual_hosts: hosts = [] } }) => [
      name,
      hosts.find((host) => host.name === 'allow_any')?.routes?.[0]?.route?.cluster ?? '',
    ]),
  );
}

suite("An eager pod in an enforced namespace never gets a lazy one's route", () => {
  let lazy: Pod;
  let eager: Pod;

  before(async () => {
    await service('crowded', { http: HTTP });
    lazy = await mesh.lazyClient('lazy');
    eager = await mesh.client('eager-0', { annotations: { 'lazyscope.io/mode': 'Off' } });
  });

  async function assertApart(port: number): Promise<void> {
    const goes = async (client: Pod): Promise<string | undefined> => (await unknownHostsGo(client)).get(String(port));
    const egress = await eventually(`the lazy pod sends unknown hosts on ${port} to the egress`, async () => {
      const cluster = await goes(lazy);
      return cluster?.startsWith('outbound|15080||lazyscope-egress.') && cluster;
    });
    assert.equal(await eventually('the eager pod has the route', () => goes(eager)), 'PassthroughCluster');
    // A new one asks istiod anew, when the lazy route is in its cache.
    const late = await mesh.client(`late-${port}-0`, { annotations: { 'lazyscope.io/mode': 'Off' } });
    assert.equal(await eventually('the late pod has the route', () => goes(late)), 'PassthroughCluster');
    assert.equal(await goes(lazy), egress, 'nor the other way round');
  }

  test('on a port with a service that the lazy pod does not know', () => assertApart(HTTP));

  test('on a port with one service, which the lazy pod knows', async () => {
    const to = await service('lonely', { http: LONELY_HTTP });
    await calls.http1(lazy, to);
    await mesh.learned(lazy, to);
    await assertApart(LONELY_HTTP);
  });

  test('on a port that only the placeholder has', async () => {
    const gone = { name: 'gone', ports: { http: 8123 }, pods: [server] };
    await mesh.bed.service(gone);
    await eventually('the lazy pod listens on it', async () => (await unknownHostsGo(lazy)).has('8123'));
    await mesh.bed.client.delete({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'gone', namespace: 'shop' } });
    await assertApart(8123);
  });
});

test('A server that speaks first on a port that is HTTP elsewhere is reached, called before or not', async () => {
  await service('speaks-http', { http: 8081 });
  const to = await service('speaks-first', { tcp: 8081 });
  const client = await mesh.lazyClient('mixed');
  await eventually('the service is pinned', async () =>
    (await mesh.outboundClusters(client)).includes(`outbound|8081||${to.host}`),
  );
  assert.equal(await calls.tcp(client, to), client.address);
});

test('What becomes a mixed port while it is used still works', async () => {
  const port = 8777;
  const app = await calls.app(server, 'greeter');
  await app.call('listenGreeter', port);
  const to = await service('first-alone', { tcp: port });
  const client = await mesh.lazyClient('mixing');
  assert.equal(await calls.tcp(client, to), mesh.egress.pod.address);
  await service('then-http', { http: port });
  await eventually('it is reached directly', async () => (await calls.tcp(client, to)) === client.address);
});

test('Link-local addresses are called from the pod itself', async () => {
  const metadata = mesh.bed.bed.pod('metadata-0', { address: METADATA, interception: 'none' });
  const cloud = await Calls.serve(mesh.bed, metadata, { http1: [80] });
  const client = await mesh.lazyClient('in-cloud');
  const peer = await cloud.http1(client, { address: METADATA, port: 80, host: METADATA });
  assert.equal(peer, client.address);
  assert.deepEqual(await mesh.controller.api.edges(client.workload), []);
});

suite('What can never go direct is shown as what it is:', { concurrency: 4 }, () => {
  test('a Host that is not one of the service', async () => {
    const [to, client] = [await service('host-mismatch', { http: HTTP }), await mesh.lazyClient('host-mismatch')];
    mesh.bed.answerFor(server, to);
    assert.equal(await calls.http1(client, { ...to, host: 'nobody.example.com' }), mesh.egress.pod.address);
    const { state } = await relayed(client, 'HostMismatch');
    assert.equal(state, 'relayed');
  });

  test('a TLS server name of a service, called at an address that is not its own', async () => {
    const [to, client] = [await service('sni-mismatch', { tls: TLS }), await mesh.lazyClient('sni-mismatch')];
    assert.equal(await calls.tls(client, { ...to, address: server.address }), mesh.egress.pod.address);
    assert.ok(await relayed(client, 'SniMismatch'));
  });

  test('the address of a pod', async () => {
    const client = await mesh.lazyClient('pod-address');
    const host = `${server.address}:${HTTP}`;
    assert.equal(await calls.http1(client, { address: server.address, port: HTTP, host }), mesh.egress.pod.address);
    assert.ok(await relayed(client, 'PodIP'));
  });

  test('an address that the mesh does not know', async () => {
    const client = await mesh.lazyClient('external');
    const target = { address: outside.address, port: 80, host: 'www.example.com' };
    assert.equal(await outsideCalls.http1(client, target), mesh.egress.pod.address);
    assert.ok(await relayed(client, 'External'));
  });

  test('a ServiceEntry with a TCP port and no address, which would take every connection on that port', async () => {
    const host = 'capturing.example.com';
    const entry = { host, ports: { TCP: CAPTURING }, resolution: 'STATIC', endpoints: [outside.address] } as const;
    await mesh.bed.client.apply(serviceEntry(entry));
    const client = await mesh.lazyClient('captured');
    assert.equal(
      await outsideCalls.tcp(client, { address: outside.address, port: CAPTURING }),
      mesh.egress.pod.address,
    );
    await eventually('the edge is known', async () => (await mesh.controller.api.edges(client.workload)).length > 0);
    assert.deepEqual(
      (await mesh.controller.api.edges(client.workload)).map(({ state }) => state),
      ['relayed'],
    );
    await mesh.narrowed(client);
    assert.ok(!(await mesh.outboundClusters(client)).includes(`outbound|${CAPTURING}||${host}`));
  });
});

test('Going back to eager cuts no direct TCP connection, and no HTTP request', async () => {
  const [to, web] = [await service('long', { tcp: TCP }), await service('busy', { http: HTTP })];
  const client = await mesh.lazyClient('leaving');
  for (const [key, call] of [
    [to, () => calls.tcp(client, to)],
    [web, () => calls.http1(client, web)],
  ] as const) {
    await call();
    await mesh.learned(client, key);
    await eventually('calls go direct', async () => (await call()) === client.address);
  }
  const greeter = await calls.app(client, 'greeter');
  assert.equal(await greeter.call('holdGreeter', 'held', to), client.address);
  const load = await calls.app(client, 'load');
  await load.call('startLoad', 'busy', { targets: [web], requestsPerSecond: 200 });
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'leaving', namespace: 'shop' } };
  await mesh.annotate(deployment, 'Off');
  await mesh.eager(client);
  await mesh.drained(client);
  await greeter.call('useHeld', 'held');
  await mesh.annotate(deployment, null);
  await mesh.lazy(client);
  await mesh.drained(client);
  await greeter.call('useHeld', 'held');
  const { failures, total } = await load.call('stopLoad', 'busy');
  assert.deepEqual(failures, [], `${failures.length} of ${total} requests failed`);
});
