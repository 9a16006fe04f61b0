/** The Kubernetes source on thousands of objects. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Cluster, type ClusterRequest, connectCluster } from '../../../controller/k8s/cluster.ts';
import { list } from '../../../controller/k8s/reading.ts';
import { watchedResources } from '../../../controller/k8s/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { ETCD_PORT, loopbackAddress } from '../bed/ports.ts';
import { ApiBed } from './api-bed.ts';
import { checkOf, follow } from './follow.ts';
import { TcpProxy } from './tcp-proxy.ts';

const COUNT = 5_000;
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices';
const slices = watchedResources('direct', 'lazyscope').find(({ kind }) => kind === 'EndpointSlice');
assert(slices);

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
  await api.namespace('shop');
  const writers = Array.from({ length: 16 }, async (_, writer) => {
    for (let index = writer; index < COUNT; index += 16) await api.client.request('POST', SLICES, slice(index));
  });
  await Promise.all(writers);
});
after(() => api.destroy());

const slice = (index: number) => ({
  metadata: {
    name: `slice-${index}`,
    labels: { 'kubernetes.io/service-name': 'big', fate: index < COUNT / 5 ? 'goes' : 'stays' },
  },
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080 }],
  endpoints: [{ addresses: [`10.1.${index >> 8}.${index & 255}`] }],
});

/** The bed's cluster, with something to do before each request. A server without a cache also pages first lists. */
async function clusterWith(before: (request: ClusterRequest) => Promise<void>): Promise<Cluster> {
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig() });
  const open = cluster.open.bind(cluster);
  cluster.open = async (request) => {
    const paged = { ...request, path: request.path.replace('&resourceVersion=0', '') };
    await before(paged);
    return open(paged);
  };
  return cluster;
}

/** Forgets all history of the store. https://etcd.io/docs/v3.6/dev-guide/api_grpc_gateway/ */
async function compact(): Promise<void> {
  const url = `http://${loopbackAddress(api.bed.network)}:${ETCD_PORT}/v3/kv`;
  const post = async (path: string, body: object): Promise<unknown> =>
    (await fetch(url + path, { method: 'POST', body: JSON.stringify(body) })).json();
  const { header } = (await post('/range', { key: 'AA==' })) as { readonly header: { readonly revision: string } };
  await post('/compaction', { revision: header.revision, physical: true });
}

test('a list comes in pages, complete and each object once', async () => {
  const paths: string[] = [];
  const cluster = await clusterWith(async ({ path }) => {
    paths.push(path);
  });
  const names: string[] = [];
  const signal = new AbortController().signal;
  const onItems = (items: readonly unknown[]): void => {
    for (const item of items as { readonly metadata: { readonly name: string } }[]) names.push(item.metadata.name);
  };
  await list({ cluster, resource: slices, signal }, { onItems });
  assert.equal(paths.length, 11);
  assert.ok(paths.every((path) => path.includes('limit=500')));
  assert.deepEqual([names.length, new Set(names).size], [COUNT + 1, COUNT + 1]);
});

test('a list whose next page is too late begins anew, and tells each object once, in one batch before it is synced', async (t) => {
  const begun: string[] = [];
  let answered = 0;
  const cluster = await clusterWith(async ({ path }) => {
    if (!path.includes('endpointslices')) return;
    if (!path.includes('continue')) begun.push(path);
    answered += 1;
    if (answered !== 3) return;
    await api.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'later' } });
    await compact();
    // It would answer from its memory, which etcd's compaction does not reach.
    await api.apiServer.restart('SIGKILL');
  });
  const { sink } = await follow(t, { cluster, mode: 'direct' });
  assert.ok(begun.length > 1);
  assert.equal(sink.batches.length, 1);
  assert.equal(sink.log.filter((line) => line.includes(' EndpointSlice shop/')).length, COUNT);
  assert.deepEqual(sink.repetitions, []);
});

test('a fifth that is missing after an outage is told to be gone only after a second look', async (t) => {
  const proxy = await TcpProxy.start(api, t);
  const { source, sink } = await follow(t, {
    kubeconfig: api.kubeconfig({ server: proxy.url }),
    mode: 'direct',
    timings: { secondLook: 1_500 },
  });
  proxy.refuse();
  await eventually('it is missed', () => checkOf(source, 'kubernetes-watches').includes('endpointslices'));
  await api.client.request('DELETE', `${SLICES}?labelSelector=fate%3Dgoes`);
  await api.client.request('POST', SLICES, { ...slice(0), metadata: { ...slice(0).metadata, name: 'sentinel' } });
  await api.apiServer.restart();
  proxy.accept();
  await sink.untilKnown('EndpointSlice shop/sentinel');
  const seenAt = performance.now();
  await sink.untilKnown('EndpointSlice shop/slice-0', false);
  assert.ok(performance.now() - seenAt > 1_000, 'the first look is not believed');
  const deleted = sink.log.filter((line) => line.startsWith('Deleted EndpointSlice'));
  assert.equal(deleted.length, COUNT / 5);
  assert.ok(sink.objects.has(`EndpointSlice shop/slice-${COUNT - 1}`));
  assert.deepEqual(sink.repetitions, []);
});
