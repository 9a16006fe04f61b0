/** What the Kubernetes source may and may not read, and whom it is. */
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { KILL_SWITCH, qualifiedName, watchedResources } from '../../../controller/k8s/resources.ts';
import { eventually } from '../../support/eventually.ts';
import { applyCrds } from '../bed/crds.ts';
import { builtServers } from '../servers/server-cache.ts';
import { istio } from '../servers/server-module.ts';
import { ApiBed } from './api-bed.ts';
import { checkOf, follow } from './follow.ts';
import { applyYaml, EVERYTHING, grant, replace } from './service-account.ts';
import { TcpProxy } from './tcp-proxy.ts';

const MANIFESTS = join(import.meta.dirname, '../../../manifests');

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
  await api.namespace('shop');
});
after(() => api.destroy());

const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { ports: [{ port: 80 }] },
});

const withoutServices = EVERYTHING.map((rule) => ({
  ...rule,
  resources: rule.resources.filter((resource) => resource !== 'services'),
}));

test('each kind is said to be listed once before the mesh is told, one that may not be read too', async (t) => {
  const listed: string[] = [];
  const token = await grant(api, 'lister', withoutServices);
  const onListed = (resource: string): unknown => listed.push(resource);
  await follow(t, { kubeconfig: api.kubeconfig({ token }), mode: 'direct', onListed });
  assert.deepEqual(listed.toSorted(), watchedResources('direct', 'lazyscope').map(qualifiedName).toSorted());
});

test('a kind that may not be read is named and done without, until it may', async (t) => {
  await api.client.apply(service('hidden'));
  const token = await grant(api, 'reader', withoutServices);
  const { source, sink } = await follow(t, { kubeconfig: api.kubeconfig({ token }), mode: 'direct' });
  assert.deepEqual(sink.unreadableKinds, [['Service']]);
  assert.ok(sink.objects.has('Namespace shop'));
  assert.ok(!sink.objects.has('Service shop/hidden'));
  assert.deepEqual(
    sink.problems.map(({ subject }) => subject),
    ['services'],
  );
  assert.match(
    sink.problems[0]?.reason ?? '',
    /^may not list services in all namespaces: grant verb "list" on "services" in a ClusterRole \(.*reader.*\)$/,
  );
  assert.match(checkOf(source, 'kubernetes-rights'), /^degraded: may not list and watch services: done without/);
  await grant(api, 'reader', EVERYTHING);
  await sink.untilKnown('Service shop/hidden');
  await sink.until('it is known to be readable', () => sink.unreadableKinds.length === 2);
  assert.deepEqual(sink.unreadableKinds, [['Service'], []]);
  assert.equal(checkOf(source, 'kubernetes-rights'), 'every kind may be read');
  assert.deepEqual([sink.syncs.length, sink.problems.length], [1, 1]);
});

test('a right that is taken away takes nothing else away', async (t) => {
  await api.client.apply(service('kept'));
  const proxy = await TcpProxy.start(api, t);
  const token = await grant(api, 'former-reader', EVERYTHING);
  const { sink } = await follow(t, { kubeconfig: api.kubeconfig({ token, server: proxy.url }), mode: 'direct' });
  await grant(api, 'former-reader', withoutServices);
  // What is being watched goes on; the next request is refused.
  await eventually('the right is gone', async () => {
    proxy.cut();
    return sink.unreadableKinds.length > 0;
  });
  assert.deepEqual(sink.unreadableKinds, [['Service']]);
  assert.ok(sink.objects.has('Service shop/kept'));
  const problem = sink.problems.find(({ subject }) => subject === 'services');
  assert.match(problem?.reason ?? '', /^may not watch services in all namespaces: grant verb "watch"/);
});

test('a rotated token file is read when the old token is refused', async (t) => {
  const proxy = await TcpProxy.start(api, t);
  const old = await grant(api, 'rotating', EVERYTHING);
  const tokenFile = join(api.bed.folder('tokens'), 'token');
  writeFileSync(tokenFile, `${old}\n`);
  const kubeconfig = api.kubeconfig({ tokenFile, server: proxy.url });
  const { sink } = await follow(t, { kubeconfig, mode: 'direct' });
  writeFileSync(tokenFile, `${await replace(api, 'rotating')}\n`);
  await eventually('the old token is refused', async () =>
    api.client
      .as(old)
      .request('GET', '/api/v1/services')
      .then(
        () => false,
        (error) => /401/.test(String(error)),
      ),
  );
  proxy.cut();
  await api.client.apply(service('after-rotation'));
  await sink.untilKnown('Service shop/after-rotation');
  assert.deepEqual([sink.repetitions, sink.unreadableKinds], [[], []]);
});

test('a credentials plugin of a kubeconfig is asked for the token', async (t) => {
  const token = await grant(api, 'plugin', EVERYTHING);
  const plugin = join(api.bed.folder('plugins'), 'credentials');
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token },
  };
  writeFileSync(plugin, `#!/bin/sh\necho '${JSON.stringify(credential)}'\n`);
  chmodSync(plugin, 0o755);
  const exec = { apiVersion: credential.apiVersion, command: plugin, interactiveMode: 'Never' };
  const { sink } = await follow(t, { kubeconfig: api.kubeconfig({ user: { exec } }), mode: 'direct' });
  assert.ok(sink.objects.has('Namespace shop'));
});

test('kinds that are not installed are empty, and read when they come', async (t) => {
  const { source, sink } = await follow(t, { kubeconfig: api.kubeconfig() });
  assert.deepEqual([sink.problems, sink.unreadableKinds], [[], []]);
  assert.equal(checkOf(source, 'kubernetes-watches'), 'every kind is followed');
  await applyCrds(api.client, await builtServers(istio));
  const metadata = { name: 'own', namespace: 'shop' };
  const spec = { egress: [{ hosts: ['./*'] }] };
  await api.client.apply({ apiVersion: 'networking.istio.io/v1', kind: 'Sidecar', metadata, spec });
  await sink.untilKnown('Sidecar shop/own');
});

test('the rights of the manifests are enough, and of all ConfigMaps only the kill switch is told', async (t) => {
  await applyCrds(api.client, await builtServers(istio));
  for (const name of ['lazyscope', 'istio-system']) await api.namespace(name);
  for (const file of ['base/service-accounts.yaml', 'overlays/istio/controller-rights.yaml']) {
    await applyYaml(api, readFileSync(join(MANIFESTS, file), 'utf8'));
  }
  const token = await api.client.serviceAccountToken('lazyscope', 'lazyscope-controller');
  const { source, sink } = await follow(t, { kubeconfig: api.kubeconfig({ token }) });
  assert.deepEqual([sink.unreadableKinds, sink.problems], [[], []]);
  assert.equal(checkOf(source, 'kubernetes-rights'), 'every kind may be read');
  for (const name of ['another', KILL_SWITCH]) {
    const metadata = { name, namespace: 'lazyscope' };
    await api.client.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata });
  }
  await sink.untilKnown(`ConfigMap lazyscope/${KILL_SWITCH}`);
  assert.deepEqual(
    [...sink.objects.keys()].filter((name) => name.startsWith('ConfigMap')),
    [`ConfigMap lazyscope/${KILL_SWITCH}`],
  );
});
