/** What lists ask for. How a real API server answers them is tried in test/mesh/k8s. */
import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { type TestContext, test } from 'node:test';
import { list } from '../../../controller/k8s/reading.ts';
import { watchedResources } from '../../../controller/k8s/resources.ts';
import { clusterOf } from './cluster-of.ts';

interface Asked {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** An API server that knows no protobuf and answers every list with one object. */
async function clusterOfJson(t: TestContext) {
  const asked: Asked[] = [];
  const cluster = await clusterOf(t, ({ url = '', headers }, response) => {
    asked.push({ query: new URL(url, 'http://localhost').searchParams, headers });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'only' } }] }));
  });
  return { cluster, asked };
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
