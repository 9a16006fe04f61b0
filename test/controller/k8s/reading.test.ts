/** What lists ask for. How a real API server answers them is tried in test/mesh/k8s. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectCluster } from '../../../controller/k8s/cluster.ts';
import { list } from '../../../controller/k8s/reading.ts';
import { watchedResources } from '../../../controller/k8s/resources.ts';

interface Asked {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** A server that knows no protobuf and answers every list with one object. */
async function clusterOfJson(t: TestContext) {
  const asked: Asked[] = [];
  const server = createServer(({ url = '', headers }, response) => {
    asked.push({ query: new URL(url, 'http://localhost').searchParams, headers });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'only' } }] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-config-'));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const kubeconfig = join(folder, 'config');
  const { port } = server.address() as AddressInfo;
  const clusters = [
    { name: 'here', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
  ];
  const contexts = [{ name: 'here', context: { cluster: 'here', user: 'me' } }];
  const users = [{ name: 'me', user: { token: 'mine' } }];
  writeFileSync(kubeconfig, JSON.stringify({ clusters, contexts, users, 'current-context': 'here' }));
  return { cluster: await connectCluster({ kubeconfig }), asked };
}

// A page of JSON is held as a whole, and from its cache the server gives one page of all.
test('a first list comes from the cache of the server where it is read in protobuf, and in pages elsewhere', async (t) => {
  const { cluster, asked } = await clusterOfJson(t);
  const { signal } = new AbortController();
  const resources = watchedResources('istio', 'lazyscope');
  for (const resource of resources) await list({ cluster, resource, signal }, { isFirst: true, onItems: () => {} });
  const fromCache = asked.map(({ query }) => query.get('resourceVersion') === '0');
  assert.deepEqual(
    fromCache,
    asked.map(({ headers }) => headers.accept?.includes('protobuf') ?? false),
  );
  const inPages = resources.filter((_, index) => !fromCache[index]).map(({ kind }) => kind);
  assert.deepEqual(inPages, [
    'ServiceEntry',
    'VirtualService',
    'DestinationRule',
    'Sidecar',
    'AuthorizationPolicy',
    'NetworkPolicy',
    'ConfigMap',
  ]);
  assert.ok(asked.every(({ query }) => query.get('limit') === '500'));
});

test('later lists are as things are now', async (t) => {
  const { cluster, asked } = await clusterOfJson(t);
  const { signal } = new AbortController();
  for (const resource of watchedResources('istio', 'lazyscope')) {
    await list({ cluster, resource, signal }, { onItems: () => {} });
  }
  assert.deepEqual(
    asked.map(({ query }) => query.get('resourceVersion')).filter((version) => version !== null),
    [],
  );
});

test('JSON is read where protobuf was asked for', async (t) => {
  const { cluster, asked } = await clusterOfJson(t);
  const resource = watchedResources('direct', 'lazyscope').find(({ kind }) => kind === 'Pod');
  assert(resource);
  const items: unknown[] = [];
  const resourceVersion = await list(
    { cluster, resource, signal: new AbortController().signal },
    { isFirst: true, onItems: (more) => items.push(...more) },
  );
  assert.match(asked[0]?.headers.accept ?? '', /protobuf/);
  assert.equal(resourceVersion, '7');
  assert.deepEqual(items, [{ metadata: { name: 'only' } }]);
});
