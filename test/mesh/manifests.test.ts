/** What `kubectl apply -k manifests/overlays/istio` writes, on the real API server and istiod. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubernetesObject } from '../support/bed/kubernetes-objects.ts';
import { eventually } from '../support/eventually.ts';
import type { KubernetesClient } from './bed/kubernetes-client.ts';
import { readManifests } from './bed/manifests.ts';
import { MeshBed } from './bed/mesh-bed.ts';

const objects = readManifests('istio');

let mesh: MeshBed;
/** As the controller's ServiceAccount. */
let controller: KubernetesClient;

before(async () => {
  mesh = await MeshBed.start();
  await mesh.client.applyAll(objects);
  controller = mesh.client.as(await mesh.client.serviceAccountToken('lazyscope', 'lazyscope-controller'));
});
after(() => mesh.destroy());

/** `Kind name`. */
function title({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.name}`;
}

test('The API server knows every field of every object', async () => {
  for (const object of objects) {
    const path = `${await mesh.client.path(object)}?fieldManager=lazyscope-test&fieldValidation=Strict`;
    await mesh.client.request('PATCH', path, object, 'application/apply-patch+yaml');
  }
});

test('istiod accepts every object of its own kinds', async () => {
  const own = objects.filter(({ apiVersion }) => apiVersion.includes('istio.io'));
  assert.ok(own.length >= 7, own.map(title).join());
  for (const object of own) {
    assert.deepEqual(await mesh.istiod.validate(object), { allowed: true, message: '' }, title(object));
  }
});

interface Attributes {
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

async function isAllowed(resourceAttributes: Attributes): Promise<boolean> {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  const { status } = await controller.request<{ readonly status: { readonly allowed: boolean } }>('POST', path, body);
  return status.allowed;
}

test('The controller may read what it watches, in every namespace', async () => {
  const watched: Readonly<Record<string, readonly string[]>> = {
    '': ['services', 'pods', 'nodes', 'namespaces'],
    'discovery.k8s.io': ['endpointslices'],
    apps: ['replicasets', 'deployments', 'statefulsets', 'daemonsets'],
    batch: ['jobs', 'cronjobs'],
    'networking.istio.io': ['serviceentries', 'virtualservices', 'destinationrules', 'sidecars'],
    'security.istio.io': ['authorizationpolicies'],
    'networking.k8s.io': ['networkpolicies'],
  };
  for (const [group, resources] of Object.entries(watched)) {
    for (const resource of resources) {
      for (const verb of ['get', 'list', 'watch']) {
        await eventually(`may ${verb} ${resource}`, () => isAllowed({ group, resource, verb }), { timeoutMs: 5_000 });
      }
    }
  }
});

test('The controller may write Sidecars and Events everywhere, and six named objects of its namespace', async () => {
  const namespace = 'lazyscope';
  const allowed: readonly Attributes[] = [
    { group: 'networking.istio.io', resource: 'sidecars', verb: 'create', namespace: 'shop' },
    { group: 'networking.istio.io', resource: 'sidecars', verb: 'patch', namespace: 'shop' },
    { group: 'networking.istio.io', resource: 'sidecars', verb: 'delete', namespace: 'shop' },
    { group: '', resource: 'events', verb: 'create', namespace: 'shop' },
    { group: '', resource: 'services', verb: 'patch', namespace, name: 'lazyscope-placeholder' },
    { group: '', resource: 'services', verb: 'patch', namespace, name: 'lazyscope-decoy' },
    { group: '', resource: 'configmaps', verb: 'watch', namespace, name: 'lazyscope-kill-switch' },
    { group: '', resource: 'configmaps', verb: 'watch', namespace: 'istio-system', name: 'istio' },
    ...['serviceentries', 'virtualservices'].flatMap((resource): Attributes[] => [
      { group: 'networking.istio.io', resource, verb: 'create', namespace },
      { group: 'networking.istio.io', resource, verb: 'patch', namespace, name: 'lazyscope-external-direct' },
      { group: 'networking.istio.io', resource, verb: 'delete', namespace, name: 'lazyscope-external-direct' },
    ]),
    { group: 'coordination.k8s.io', resource: 'leases', verb: 'create', namespace },
    { group: 'coordination.k8s.io', resource: 'leases', verb: 'update', namespace, name: 'lazyscope-controller' },
  ];
  for (const attributes of allowed) assert.ok(await isAllowed(attributes), JSON.stringify(attributes));
});

test('The controller may do nothing else', async () => {
  const namespace = 'lazyscope';
  const refused: readonly Attributes[] = [
    { group: '', resource: 'secrets', verb: 'get', namespace },
    { group: '', resource: 'configmaps', verb: 'list', namespace },
    { group: '', resource: 'configmaps', verb: 'get', namespace: 'shop', name: 'lazyscope-kill-switch' },
    { group: '', resource: 'services', verb: 'patch', namespace, name: 'lazyscope-egress' },
    { group: '', resource: 'services', verb: 'patch', namespace: 'shop', name: 'lazyscope-decoy' },
    { group: '', resource: 'services', verb: 'create', namespace },
    { group: '', resource: 'services', verb: 'delete', namespace, name: 'lazyscope-decoy' },
    { group: '', resource: 'pods', verb: 'patch', namespace: 'shop' },
    { group: 'apps', resource: 'deployments', verb: 'patch', namespace: 'shop' },
    { group: '', resource: 'configmaps', verb: 'get', namespace: 'istio-system', name: 'istio-ca-root-cert' },
    { group: 'networking.istio.io', resource: 'virtualservices', verb: 'patch', namespace: 'shop' },
    { group: 'networking.istio.io', resource: 'virtualservices', verb: 'create', namespace: 'shop' },
    {
      group: 'networking.istio.io',
      resource: 'serviceentries',
      verb: 'patch',
      namespace,
      name: 'lazyscope-169-254-20-10',
    },
    { group: 'networking.istio.io', resource: 'destinationrules', verb: 'patch', namespace },
    { group: 'coordination.k8s.io', resource: 'leases', verb: 'update', namespace, name: 'another' },
    { group: 'coordination.k8s.io', resource: 'leases', verb: 'get', namespace: 'kube-system' },
  ];
  for (const attributes of refused) assert.equal(await isAllowed(attributes), false, JSON.stringify(attributes));
});

test('An egress has no rights at all, and no token to use', async () => {
  const egress = mesh.client.as(await mesh.client.serviceAccountToken('lazyscope', 'lazyscope-egress'));
  await assert.rejects(egress.get({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lazyscope' } }), /403/);
  const account = objects.find((object) => title(object) === 'ServiceAccount lazyscope-egress');
  assert.equal(account?.['automountServiceAccountToken'], false);
});
