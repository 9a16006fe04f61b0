/** Everything that a lazy pod may call works at once, is learned as what it is, and then goes direct. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { assertLearned } from './bed/first-use.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import { serviceEntry, virtualService } from './bed/istio-objects.ts';
import type { MeshServiceOptions } from './bed/service-objects.ts';

const [HTTP1, HTTP2, GRPC, BY_NAME, TCP, OTHER_TCP, TLS, WEB] = [8080, 8081, 8082, 8085, 9000, 9001, 9443, 80];

let mesh: IstioMesh;
let server: Pod;
/** Not known to the API server. */
let outside: Pod;
let calls: Calls;
let outsideCalls: Calls;

before(async () => {
  mesh = await IstioMesh.start({ environment: { PILOT_DEBOUNCE_AFTER: '20ms' } });
  await mesh.enforce('shop');
  // Without a sidecar, so that its programs see who dials.
  server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  outside = mesh.bed.bed.pod('outside-0', { interception: 'none' });
  const served = { http1: [HTTP1, BY_NAME, WEB], http2: HTTP2, grpc: GRPC, tcp: [TCP, OTHER_TCP], tls: [TLS] };
  calls = await Calls.serve(mesh.bed, server, served);
  outsideCalls = await Calls.serve(mesh.bed, outside, { http1: [WEB], tcp: [TCP], tls: [443] });
});
after(() => mesh.destroy());

async function service(
  name: string,
  ports: MeshServiceOptions['ports'],
  more: Partial<MeshServiceOptions> = {},
): Promise<ServiceHandle> {
  return mesh.service({ name, ports, pods: [server], ...more });
}

suite('A lazy pod', { concurrency: 4 }, () => {
  test('calls HTTP/1', async () => {
    const [to, client] = [await service('http1', { http: HTTP1 }), await mesh.lazyClient('http1')];
    await assertLearned(mesh, { client, to, call: () => calls.http1(client, to) });
  });

  test('calls HTTP/2 without TLS', async () => {
    const [to, client] = [await service('http2', { http2: HTTP2 }), await mesh.lazyClient('http2')];
    await assertLearned(mesh, { client, to, call: () => calls.http2(client, to) });
  });

  test('calls gRPC', async () => {
    const [to, client] = [await service('grpc', { grpc: GRPC }), await mesh.lazyClient('grpc')];
    await assertLearned(mesh, { client, to, call: () => calls.grpc(client, to) });
  });

  test('opens a WebSocket', async () => {
    const [to, client] = [await service('websocket', { http: HTTP1 }), await mesh.lazyClient('websocket')];
    await assertLearned(mesh, { client, to, call: () => calls.webSocket(client, to) });
  });

  test('calls TCP whose server speaks first', async () => {
    const [to, client] = [await service('tcp', { tcp: TCP }), await mesh.lazyClient('tcp')];
    await assertLearned(mesh, { client, to, call: () => calls.tcp(client, to) });
  });

  test('calls TLS', async () => {
    const [to, client] = [await service('tls', { tls: TLS }), await mesh.lazyClient('tls')];
    await assertLearned(mesh, { client, to, call: () => calls.tls(client, to) });
  });

  test('calls HTTP on a port that declares no protocol', async () => {
    const [to, client] = [
      await service('sniffed', { web: 8090 }, { targetPorts: { web: HTTP1 } }),
      await mesh.lazyClient('sniffed'),
    ];
    await assertLearned(mesh, { client, to, call: () => calls.http1(client, to) });
  });

  test('calls a headless service by its name', async () => {
    const [to, client] = [
      await service('headless', { http: HTTP1 }, { headless: true }),
      await mesh.lazyClient('headless'),
    ];
    await assertLearned(mesh, { client, to, call: () => calls.http1(client, to) });
  });

  test('calls a pod of a headless service by its name', async () => {
    const [to, client] = [
      await service('by-pod', { http: HTTP1 }, { headless: true }),
      await mesh.lazyClient('by-pod'),
    ];
    const host = `${server.name}.${to.host}`;
    await assertLearned(mesh, { client, to, call: () => calls.http1(client, { ...to, host }) });
  });

  test('calls TCP of a headless service', async () => {
    const client = await mesh.lazyClient('headless-tcp');
    const to = await service('headless-tcp', { tcp: OTHER_TCP }, { headless: true });
    await assertLearned(mesh, { client, to, call: () => calls.tcp(client, to) });
  });

  test('calls both ports of a service with HTTP and TCP', async () => {
    const client = await mesh.lazyClient('two-ports');
    const to = await service('two-ports', { http: HTTP1, tcp: TCP });
    await assertLearned(mesh, { client, to, call: () => calls.http1(client, to) });
    assert.equal(await calls.tcp(client, { ...to, port: TCP }), client.address, 'promoted with the service');
  });

  test('is a pod of a StatefulSet that calls another by its name', async () => {
    const options = { kind: 'StatefulSet' } as const;
    const client = await mesh.lazyClient('stateful', options);
    const database = await mesh.bed.pod('database-0', { ...options, interception: 'none' });
    const databaseCalls = await Calls.serve(mesh.bed, database, { http1: [HTTP1] });
    const to = await mesh.service({ name: 'database', ports: { http: HTTP1 }, pods: [database], headless: true });
    const target = { ...to, host: `${database.name}.${to.host}` };
    const call = (): Promise<string> => databaseCalls.http1(client, target);
    await assertLearned(mesh, { client, workload: 'shop/StatefulSet/stateful', to, call });
  });

  test('calls a ServiceEntry with an address, by HTTP', async () => {
    const host = 'addressed.example.com';
    const [client, address] = [await mesh.lazyClient('addressed'), '10.200.0.10'];
    const ports = { HTTP: WEB };
    const addresses = [address];
    await mesh.bed.client.apply(
      serviceEntry({ host, addresses, ports, resolution: 'STATIC', endpoints: [outside.address] }),
    );
    await mesh.knownToEgress(host);
    const to = { key: `shop/${host}`, host, address, port: WEB };
    await assertLearned(mesh, { client, to, call: () => outsideCalls.http1(client, to) });
  });

  test('calls a ServiceEntry with an address, by TCP', async () => {
    const host = 'addressed-tcp.example.com';
    const [client, address] = [await mesh.lazyClient('addressed-tcp'), '10.200.0.11'];
    const entry = {
      host,
      addresses: [address],
      ports: { TCP },
      resolution: 'STATIC',
      endpoints: [outside.address],
    } as const;
    await mesh.bed.client.apply(serviceEntry(entry));
    await mesh.knownToEgress(host);
    const to = { key: `shop/${host}`, address, port: TCP };
    await assertLearned(mesh, { client, to, call: () => outsideCalls.tcp(client, to) });
  });

  test('calls a ServiceEntry without an address, by its Host', async () => {
    const host = 'by-host.example.com';
    const client = await mesh.lazyClient('by-host');
    const entry = { host, ports: { HTTP: WEB }, resolution: 'DNS', endpoints: [outside.address] } as const;
    await mesh.bed.client.apply(serviceEntry(entry));
    await mesh.knownToEgress(host);
    const to = { key: `shop/${host}`, host, address: outside.address, port: WEB };
    await assertLearned(mesh, { client, to, call: () => outsideCalls.http1(client, to) });
  });

  test('calls a ServiceEntry without an address, by its TLS server name', async () => {
    const host = 'by-sni.example.com';
    const client = await mesh.lazyClient('by-sni');
    const entry = { host, ports: { TLS: 443 }, resolution: 'DNS', endpoints: [outside.address] } as const;
    await mesh.bed.client.apply(serviceEntry(entry));
    await mesh.knownToEgress(host);
    const to = { key: `shop/${host}`, host, address: outside.address, port: 443 };
    await assertLearned(mesh, { client, to, call: () => outsideCalls.tls(client, to) });
  });

  test('calls an address within the CIDR of a ServiceEntry', async () => {
    const host = 'cidr.example.com';
    const client = await mesh.lazyClient('cidr');
    const port = 9005;
    const other = await outsideCalls.app(outside, 'greeter');
    await other.call('listenGreeter', port);
    const addresses = [`${outside.address}/32`];
    await mesh.bed.client.apply(serviceEntry({ host, addresses, ports: { TCP: port }, resolution: 'NONE' }));
    await mesh.knownToEgress(host);
    const to = { key: `shop/${host}`, address: outside.address, port };
    await assertLearned(mesh, { client, to, call: () => outsideCalls.tcp(client, to) });
  });

  test('calls the host of a VirtualService that is no service', async () => {
    const [host, behind] = ['shop.example.com', await service('behind', { http: HTTP1 })];
    const client = await mesh.lazyClient('virtual');
    const route = [{ destination: { host: behind.host, port: { number: HTTP1 } } }];
    await mesh.bed.client.apply(virtualService(host, [{ route }]));
    const to = { key: `shop/${host}`, host, address: '10.200.0.99', port: WEB };
    // An unroutable address: it arrives only where the VirtualService applies.
    await eventually('the egress applies the VirtualService', () => calls.http1(mesh.egress.pod, to).then(() => true));
    await assertLearned(mesh, { client, to, call: () => calls.http1(client, to) });
    assert.deepEqual(await mesh.outboundClusters(client), [`outbound|${HTTP1}||${behind.host}`]);
  });
});

suite('A service is called by', { concurrency: 4 }, () => {
  const port = BY_NAME;
  const hosts: Readonly<Record<string, (to: ServiceHandle) => string>> = {
    'its ClusterIP': ({ address }) => address,
    'its ClusterIP and port': ({ address }) => `${address}:${port}`,
    'its short name': ({ name }) => name,
    'its short name and port': ({ name }) => `${name}:${port}`,
    'name.namespace': ({ name }) => `${name}.shop`,
    'name.namespace and port': ({ name }) => `${name}.shop:${port}`,
    'name.namespace.svc': ({ name }) => `${name}.shop.svc`,
    'its full name': ({ host }) => host,
    'its full name and port': ({ host }) => `${host}:${port}`,
  };
  for (const [title, hostOf] of Object.entries(hosts)) {
    test(title, async () => {
      const name = title.replaceAll(/[^a-z]+/gi, '-').toLowerCase();
      const client = await mesh.lazyClient(name);
      const to = await service(`to-${name}`, { http: port });
      await assertLearned(mesh, { client, to, call: () => calls.http1(client, { ...to, host: hostOf(to) }) });
    });
  }
});

test('Every Sidecar that was written would pass the admission webhook of istiod', async () => {
  const sidecars = await mesh.sidecars();
  assert.ok(sidecars.length > 20, `${sidecars.length}`);
  for (const sidecar of sidecars) {
    assert.deepEqual(await mesh.bed.istiod.validate(sidecar), { allowed: true, message: '' }, sidecar.metadata.name);
  }
});
