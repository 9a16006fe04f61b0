/** Meshes that are not set up as most are. */
import assert from 'node:assert/strict';
import { suite, type TestContext, test } from 'node:test';
import type { Pod } from '../support/bed/pod.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { assertLearned } from './bed/first-use.ts';
import { IstioMesh, type IstioMeshOptions } from './bed/istio-mesh.ts';
import { serviceEntry } from './bed/istio-objects.ts';

const [HTTP, TCP, WEB] = [8080, 9000, 80];

interface SmallMesh {
  readonly mesh: IstioMesh;
  readonly server: Pod;
  readonly calls: Calls;
}

async function start(t: TestContext, options: IstioMeshOptions): Promise<SmallMesh> {
  const mesh = await IstioMesh.start(options);
  t.after(() => mesh.destroy());
  await mesh.enforce('shop');
  const server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  return { mesh, server, calls: await Calls.serve(mesh.bed, server, { http1: [HTTP, WEB], tcp: [TCP] }) };
}

test('A cluster with a domain of its own', async (t) => {
  const { mesh, server, calls } = await start(t, { clusterDomain: 'mesh.example' });
  const web = await mesh.service({ name: 'web', ports: { http: HTTP }, pods: [server] });
  assert.equal(web.host, 'web.shop.svc.mesh.example');
  const client = await mesh.lazyClient('client');
  await assertLearned(mesh, { client, to: web, call: () => calls.http1(client, web) });
  assert.deepEqual(await mesh.outboundClusters(client), [`outbound|${HTTP}||${web.host}`]);
  const short = await mesh.lazyClient('short');
  await assertLearned(mesh, { client: short, to: web, call: () => calls.http1(short, { ...web, host: 'web.shop' }) });
});

test('A mesh that admits nothing but what is registered', async (t) => {
  const meshConfig = { outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } };
  const { mesh, server, calls } = await start(t, { meshConfig });
  const web = await mesh.service({ name: 'web', ports: { http: HTTP }, pods: [server] });
  const shortClient = await mesh.lazyClient('short-client');
  const byShortName = { ...web, host: web.name };
  await assertLearned(mesh, { client: shortClient, to: web, call: () => calls.http1(shortClient, byShortName) });
  const mail = await mesh.service({ name: 'mail', ports: { tcp: TCP }, pods: [server] });
  const client = await mesh.lazyClient('client');
  await assertLearned(mesh, { client, to: web, call: () => calls.http1(client, web) });
  const tcpClient = await mesh.lazyClient('tcp-client');
  await assertLearned(mesh, { client: tcpClient, to: mail, call: () => calls.tcp(tcpClient, mail) });
  const outside = mesh.bed.bed.pod('outside-0', { interception: 'none' });
  const outsideCalls = await Calls.serve(mesh.bed, outside, { http1: [WEB], tcp: [TCP] });
  const stranger = { address: outside.address, port: WEB, host: 'www.example.com' };
  await assert.rejects(outsideCalls.http1(client, stranger), /502/);
  await assert.rejects(outsideCalls.tcp(client, { ...stranger, port: TCP }), /ended|closed|ECONNRESET/);
  const entry = {
    host: stranger.host,
    ports: { HTTP: WEB },
    resolution: 'STATIC',
    endpoints: [outside.address],
  } as const;
  await mesh.bed.client.apply(serviceEntry(entry));
  await mesh.knownToEgress(stranger.host);
  const visitor = await mesh.lazyClient('visitor');
  const to = { key: `shop/${stranger.host}` };
  await assertLearned(mesh, { client: visitor, to, call: () => outsideCalls.http1(visitor, stranger) });
});

suite('A mesh whose istiod looks at labelled namespaces alone', () => {
  test('learns what is in them, and relays what is in others', async (t) => {
    const labels = { 'istio-discovery': 'enabled' };
    const { mesh, server, calls } = await start(t, {
      meshConfig: { discoverySelectors: [{ matchLabels: labels }] },
      edit: (object) =>
        object.kind === 'Namespace' ? { ...object, metadata: { ...object.metadata, labels } } : object,
      namespaceLabels: labels,
    });
    const web = await mesh.service({ name: 'web', ports: { http: HTTP }, pods: [server] });
    const client = await mesh.lazyClient('client');
    await assertLearned(mesh, { client, to: web, call: () => calls.http1(client, web) });
    await mesh.bed.namespace('unseen', { labels: {} });
    const hidden = await mesh.bed.pod('hidden-0', { namespace: 'unseen', interception: 'none' });
    const hiddenCalls = await Calls.serve(mesh.bed, hidden, { http1: [HTTP] });
    const to = await mesh.bed.service({ name: 'hidden', namespace: 'unseen', ports: { http: HTTP }, pods: [hidden] });
    mesh.bed.answerFor(hidden, to);
    await eventually('it is called', () => hiddenCalls.http1(client, to));
    for (let call = 0; call < 5; call += 1) {
      assert.equal(await hiddenCalls.http1(client, to), mesh.egress.pod.address);
    }
    assert.equal(await calls.http1(client, web), client.address);
  });
});
