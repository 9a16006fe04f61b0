/** Server-side apply, deletion and events on a real API server with Istio's kinds. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LazyscopeError } from '../../../controller/core/error.ts';
import type { Manifest, ManifestRef } from '../../../controller/core/publishing.ts';
import { connectCluster } from '../../../controller/k8s/cluster.ts';
import { KubernetesManifestWriter } from '../../../controller/k8s/manifest-writer.ts';
import type { StoredObject } from '../bed/kubernetes-client.ts';
import { ApiBed, type KubeconfigOptions } from './api-bed.ts';
import { grant } from './service-account.ts';

let api: ApiBed;

before(async () => {
  api = await ApiBed.start({ istioKinds: true });
  await api.namespace('shop');
});
after(() => api.destroy());

interface Written {
  readonly writer: KubernetesManifestWriter;
  readonly warnings: string[];
}

async function writerAs(options: KubeconfigOptions = {}): Promise<Written> {
  const warnings: string[] = [];
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig(options) });
  const log = {
    warn: (fields: object, message: string) => warnings.push(`${message}: ${'err' in fields ? fields.err : ''}`),
  };
  return { writer: new KubernetesManifestWriter({ cluster, log }), warnings };
}

const sidecar = (name: string, spec: object): Manifest => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Sidecar',
  metadata: { namespace: 'shop', name, labels: { 'app.kubernetes.io/managed-by': 'lazyscope' } },
  spec,
});

const egress = (...hosts: string[]) => ({ egress: [{ hosts }] });

const refOf = ({ apiVersion, kind, metadata: { namespace, name } }: Manifest): ManifestRef => ({
  apiVersion,
  kind,
  namespace,
  name,
});

interface WithManagers extends StoredObject {
  readonly spec: unknown;
  readonly metadata: StoredObject['metadata'] & { readonly managedFields: readonly { readonly manager: string }[] };
}

test('applies as lazyscope, and writes nothing when nothing changed', async () => {
  const { writer } = await writerAs();
  const manifest = sidecar('applied', egress('shop/cart.shop.svc.cluster.local'));
  await writer.write({ type: 'Apply', manifest });
  const first = await api.client.get<WithManagers>(manifest);
  assert.deepEqual(first.spec, manifest.spec);
  assert.deepEqual(
    first.metadata.managedFields.map(({ manager }) => manager),
    ['lazyscope'],
  );
  await writer.write({ type: 'Apply', manifest });
  const second = await api.client.get(manifest);
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
});

test('takes over what others changed in our fields, and leaves theirs', async () => {
  const { writer } = await writerAs();
  const manifest = sidecar('fought-over', egress('./*'));
  await writer.write({ type: 'Apply', manifest });
  const labels = { team: 'shop' };
  const metadata = { ...manifest.metadata, labels };
  await api.client.apply({ ...manifest, metadata, spec: egress('*/*') });
  await writer.write({ type: 'Apply', manifest });
  const { spec, metadata: stored } = await api.client.get<WithManagers>(manifest);
  assert.deepEqual(spec, manifest.spec);
  assert.deepEqual(stored['labels'], { ...labels, ...manifest.metadata.labels });
});

test('writes each kind that we publish', async () => {
  const { writer } = await writerAs();
  const metadata = { namespace: 'shop', name: 'every-kind' };
  const manifests: Manifest[] = [
    sidecar('every-kind', egress('./*')),
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'http-80', port: 80 }] } },
    { apiVersion: 'networking.istio.io/v1', kind: 'DestinationRule', metadata, spec: { host: 'every-kind' } },
  ];
  for (const manifest of manifests) {
    await writer.write({ type: 'Apply', manifest });
    await api.client.get(manifest);
    await writer.write({ type: 'Delete', ref: refOf(manifest) });
    await assert.rejects(api.client.get(manifest), /404/);
  }
});

test('a deletion of what does not exist succeeds', async () => {
  const { writer } = await writerAs();
  await writer.write({ type: 'Delete', ref: refOf(sidecar('never-was', {})) });
});

test('an object that the API server refuses is named with its field', async () => {
  const { writer } = await writerAs();
  const manifest = sidecar('wrong', { egress: [{ hosts: 'shop/*' }] });
  await assert.rejects(writer.write({ type: 'Apply', manifest }), (error) => {
    assert(error instanceof LazyscopeError);
    assert.equal(error.code, 'InvalidObject');
    assert.match(error.message, /^patch sidecars\.networking\.istio\.io shop\/wrong: .*\.spec\.egress\[0\]\.hosts/);
    return true;
  });
});

test('a missing right is named with verb, resource and namespace', async () => {
  const { writer, warnings } = await writerAs({ token: await grant(api, 'no-writer', []) });
  const manifest = sidecar('not-allowed', egress('./*'));
  await assert.rejects(writer.write({ type: 'Apply', manifest }), (error) => {
    assert(error instanceof LazyscopeError);
    assert.equal(error.code, 'Forbidden');
    assert.match(
      error.message,
      /^may not patch sidecars\.networking\.istio\.io shop\/not-allowed: grant verb "patch" on "sidecars\.networking\.istio\.io" in a Role of namespace shop or a ClusterRole/,
    );
    return true;
  });
  const event = { about: refOf(manifest), type: 'Warning', reason: 'Refused', message: 'no' } as const;
  await writer.event(event);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^An event could not be written: .*may not create events\.events\.k8s\.io/);
});

test('an API server that is away is unavailable', async () => {
  const { writer } = await writerAs({ server: 'https://127.0.0.1:1' });
  const manifest = sidecar('nowhere', {});
  await assert.rejects(writer.write({ type: 'Apply', manifest }), { code: 'Unavailable', message: /ECONNREFUSED/ });
});

test('an event is shown with its object, however long its message is', async () => {
  const { writer, warnings } = await writerAs();
  const about = refOf(sidecar('eventful', {}));
  await writer.event({ about, type: 'Warning', reason: 'TooLong', message: 'ä'.repeat(2_000) });
  await writer.event({ about, type: 'Normal', reason: 'Enforced', message: 'lazy now' });
  const { items } = await api.client.request<{
    readonly items: readonly {
      readonly reason: string;
      readonly message: string;
      readonly type: string;
      readonly involvedObject: object;
    }[];
  }>('GET', '/api/v1/namespaces/shop/events');
  assert.deepEqual(warnings, []);
  const [long, short] = ['TooLong', 'Enforced'].map((reason) => items.find((item) => item.reason === reason));
  assert.equal(long?.message, 'ä'.repeat(512));
  assert.deepEqual([short?.type, short?.message, short?.involvedObject], ['Normal', 'lazy now', about]);
});
