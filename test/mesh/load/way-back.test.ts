/** How lazy workloads get back to full configuration, by us and without us: what is in use goes on meanwhile. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import type { App } from '../../support/apps/load-app.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import { Calls } from '../bed/calls.ts';
import { IstioMesh } from '../bed/istio-mesh.ts';

const HTTP = 8080;

let mesh: IstioMesh;
let server: Pod;
let client: Pod;
let known: ServiceHandle;
let unknown: ServiceHandle;
let calls: Calls;
let load: App<'load'>;

before(async () => {
  mesh = await IstioMesh.start();
  await mesh.enforce('shop');
  server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP] });
  known = await mesh.service({ name: 'known', ports: { http: HTTP }, pods: [server] });
  unknown = await mesh.service({ name: 'unknown', ports: { http: HTTP }, pods: [server] });
  client = await mesh.lazyClient('client');
  load = await calls.app(client, 'load');
  await calls.http1(client, known);
  await mesh.learned(client, known);
});
beforeEach(async () => {
  await mesh.narrowed(client);
  await eventually('what it learned goes direct', async () => (await calls.http1(client, known)) === client.address);
});
after(() => mesh.destroy());

/** Goes to eager and back under load. */
async function goAndReturn(go: () => Promise<void>, back: () => Promise<void>): Promise<void> {
  const name = `load-${performance.now()}`;
  await load.call('startLoad', name, { targets: [known, unknown], requestsPerSecond: 200 });
  await go();
  await mesh.eager(client);
  await eventually('nothing crosses the egress', async () => (await calls.http1(client, unknown)) === client.address);
  await back();
  await mesh.narrowed(client);
  const { failures, total } = await load.call('stopLoad', name);
  assert.deepEqual(failures, [], `${failures.length} of ${total} requests failed`);
}

/** Writes an object, and removes it. */
async function assertRefusedBy(object: KubernetesObject, reason: RegExp): Promise<void> {
  await mesh.bed.namespace(object.metadata.namespace ?? '');
  await goAndReturn(
    async () => {
      await mesh.bed.client.apply(object);
      await eventually(`an event says ${reason}`, async () => {
        const { items } = await mesh.bed.client.request<{
          readonly items: readonly { readonly reason: string; readonly message: string }[];
        }>('GET', '/api/v1/events');
        return items.some((event) => reason.test(`${event.reason}: ${event.message}`));
      });
    },
    () => mesh.bed.client.delete(object),
  );
}

test('The kill switch', async () => {
  const metadata = { name: 'lazyscope-kill-switch', namespace: 'lazyscope' };
  await assertRefusedBy({ apiVersion: 'v1', kind: 'ConfigMap', metadata }, /KillSwitch: .*lazyscope-kill-switch/);
});

test('An AuthorizationPolicy that looks at the caller', async () => {
  const from = [{ source: { namespaces: ['shop'] } }];
  await assertRefusedBy(
    {
      apiVersion: 'security.istio.io/v1',
      kind: 'AuthorizationPolicy',
      metadata: { name: 'callers', namespace: 'vault' },
      spec: { action: 'ALLOW', rules: [{ from }] },
    },
    /vault\/callers/,
  );
});

test('A NetworkPolicy that selects pods', async () => {
  await assertRefusedBy(
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'fence', namespace: 'shop' },
      spec: { podSelector: { matchLabels: { app: 'server' } }, policyTypes: ['Ingress'], ingress: [{}] },
    },
    /shop\/fence/,
  );
});

test('The annotation Off on the namespace', async () => {
  await goAndReturn(
    () => mesh.enforce('shop', 'Off'),
    () => mesh.enforce('shop'),
  );
});

test('A user writes a Sidecar, which is left alone', async () => {
  const sidecar = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: 'own', namespace: 'shop' },
    spec: { workloadSelector: { labels: { app: 'client' } }, egress: [{ hosts: ['*/*'] }] },
  };
  const { metadata } = await mesh.bed.client.apply(sidecar);
  await eventually('ours is gone', async () =>
    (await mesh.sidecars()).every((ours) => ours.metadata.name !== 'lazyscope-deployment-client'),
  );
  assert.equal((await mesh.bed.client.get(sidecar)).metadata.resourceVersion, metadata.resourceVersion);
  await mesh.bed.client.delete(sidecar);
});

test('Without a controller, one command that deletes all Sidecars of ours', async () => {
  await goAndReturn(
    async () => {
      await mesh.controller.stop();
      // kubectl delete sidecars -A -l app.kubernetes.io/managed-by=lazyscope
      for (const sidecar of await mesh.sidecars()) await mesh.bed.client.delete(sidecar);
    },
    () => mesh.controller.start(),
  );
});
