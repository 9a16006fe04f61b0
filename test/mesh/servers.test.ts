/** The servers of a mesh bed: their rights, their restarts, and how they fail. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clusterOf } from '../support/bed/api-client.ts';
import { Bed } from '../support/bed/bed.ts';
import type { Pod } from '../support/bed/pod.ts';
import { eventually } from '../support/eventually.ts';
import { MeshBed } from './bed/mesh-bed.ts';
import { MeshServer } from './bed/mesh-server.ts';

const PORT = 8080;

let mesh: MeshBed;
let client: Pod;

before(async () => {
  mesh = await MeshBed.start({ environment: { PILOT_DEBOUNCE_AFTER: '10ms' } });
  client = await mesh.pod('client-0');
  await mesh.startEnvoy(client);
});
after(() => mesh.destroy());

/** Makes a service and waits until the client's Envoy knows it. */
async function reaches(name: string): Promise<void> {
  await mesh.service({ name, ports: { http: PORT }, pods: [client] });
  await eventually(`the Envoy knows ${name}`, async () =>
    (await client.envoy.admin.clusters()).includes(clusterOf(name, PORT)),
  );
}

test('A ServiceAccount may do what its role says, and nothing else', async () => {
  const metadata = { name: 'reader', namespace: 'shop' };
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata };
  const pods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] };
  const subjects = [{ kind: 'ServiceAccount', ...metadata }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' };
  await mesh.client.applyAll([
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { ...role, rules: [pods] },
    { ...role, kind: 'RoleBinding', subjects, roleRef },
  ]);
  const reader = mesh.client.as(await mesh.client.serviceAccountToken('shop', 'reader'));
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'client-0', namespace: 'shop' } };
  await eventually('the role is known', () => reader.get(pod));
  await assert.rejects(reader.delete(pod), /^KubernetesApiError: DELETE .*: 403 .*cannot delete resource \\"pods\\"/);
});

test('A pod that was deleted is gone at once', async () => {
  await mesh.pod('short-0');
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'short-0', namespace: 'shop' } };
  await mesh.client.delete(pod);
  await assert.rejects(mesh.client.get(pod), /404/);
});

test('Objects survive a kill of API server and etcd, and istiod goes on', async () => {
  await reaches('before');
  await mesh.apiServer.stop('SIGKILL');
  await mesh.etcd.restart('SIGKILL');
  await mesh.apiServer.start();
  await mesh.client.get({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'before', namespace: 'shop' } });
  await reaches('after');
});

test('A restarted istiod serves the same Envoys', async () => {
  await mesh.istiod.restart();
  await reaches('again');
});

test('The mesh configuration changes while istiod runs', async () => {
  const unknownGoes = async (cluster: string): Promise<boolean> =>
    JSON.stringify(await client.envoy.admin.dump('ListenersConfigDump')).includes(`"cluster":"${cluster}"`);
  assert.ok(await unknownGoes('PassthroughCluster'));
  await mesh.configure({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } });
  await eventually('unknown destinations are refused', async () => !(await unknownGoes('PassthroughCluster')));
  assert.ok(await unknownGoes('BlackHoleCluster'));
});

test('A server that does not start is refused with its last line, as soon as it has ended', async () => {
  const bed = await Bed.create();
  const command = ['sh', '-c', 'echo reading settings; echo port is taken >&2; exit 3'];
  const server = new MeshServer(bed, { name: 'broken', command, isReady: async () => false });
  await assert.rejects(server.start(), { message: 'broken ended with 3 before it served: port is taken' });
  bed.destroy();
});
