/** Services, ports, namespaces and pods come and go while they are used. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { run } from '../support/bed/command.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import type { ObjectReference } from './bed/kubernetes-client.ts';

const HTTP = 8080;

let mesh: IstioMesh;
let server: Pod;
let calls: Calls;

before(async () => {
  mesh = await IstioMesh.start({ environment: { PILOT_DEBOUNCE_AFTER: '20ms' } });
  await mesh.enforce('shop');
  server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP] });
});
after(() => mesh.destroy());

async function service(name: string, port = HTTP, namespace = 'shop'): Promise<ServiceHandle> {
  return mesh.service({ name, namespace, ports: { http: port }, targetPorts: { http: HTTP }, pods: [server] });
}

function reference(kind: string, name: string, namespace = 'shop'): ObjectReference {
  return { apiVersion: kind === 'EndpointSlice' ? 'discovery.k8s.io/v1' : 'v1', kind, metadata: { name, namespace } };
}

async function removeService(name: string, namespace = 'shop'): Promise<void> {
  await mesh.bed.client.delete(reference('Service', name, namespace));
  await mesh.bed.client.delete(reference('EndpointSlice', `${name}-1`, namespace));
}

async function direct(client: Pod, to: ServiceHandle): Promise<void> {
  await eventually(`calls of ${to.name} go direct`, async () => (await calls.http1(client, to)) === client.address);
}

/** Calls it until it is learned. */
async function learn(client: Pod, to: ServiceHandle): Promise<void> {
  await calls.http1(client, to);
  await mesh.learned(client, to);
  await direct(client, to);
}

suite('While a pod calls it', { concurrency: 4 }, () => {
  test('a service is renamed', async () => {
    const [old, client] = [await service('old-name'), await mesh.lazyClient('renaming')];
    await learn(client, old);
    const renamed = await service('new-name');
    await removeService('old-name');
    await learn(client, renamed);
    const edges = await mesh.controller.api.edges(client.workload);
    assert.deepEqual(edges.map(({ to, flags }) => [to, flags.includes('missing')]).sort(), [
      [renamed.key, false],
      [old.key, true],
    ]);
    const [sidecar] = (await mesh.sidecars()).filter(({ metadata }) => metadata.name.endsWith('-renaming'));
    assert.ok(JSON.stringify(sidecar).includes(renamed.host));
  });

  test('a service is deleted and made again, with another ClusterIP', async () => {
    const [first, client] = [await service('again'), await mesh.lazyClient('twice')];
    await learn(client, first);
    await removeService('again');
    await eventually('its cluster is gone', async () => (await mesh.outboundClusters(client)).length === 0);
    const second = await service('again');
    assert.notEqual(second.address, first.address);
    await direct(client, second);
  });

  test('a service gets another port', async () => {
    const [before, client] = [await service('moving', 8101), await mesh.lazyClient('moved')];
    await learn(client, before);
    // A port that no other service has, so that placeholder and decoy get it only now.
    const moved = await service('moving', 8102);
    await eventually('the egress knows the port', () => calls.http1(mesh.egress.pod, moved));
    await learn(client, moved);
  });

  test('its namespace is deleted and made again', async () => {
    await mesh.bed.namespace('brief');
    const [first, client] = [await service('guest', HTTP, 'brief'), await mesh.lazyClient('host')];
    await learn(client, first);
    await removeService('guest', 'brief');
    await removeNamespace('brief');
    await eventually('its cluster is gone', async () => (await mesh.outboundClusters(client)).length === 0);
    await mesh.bed.client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'brief' } });
    await direct(client, await service('guest', HTTP, 'brief'));
  });
});

/** No controller empties namespaces here: it is empty, and this is what that controller would do last. */
async function removeNamespace(name: string): Promise<void> {
  const namespace = reference('Namespace', name);
  await mesh.bed.client.delete(namespace);
  const stored = await mesh.bed.client.get(namespace);
  await mesh.bed.client.request('PUT', `/api/v1/namespaces/${name}/finalize`, { ...stored, spec: { finalizers: [] } });
}

test('A Deployment that goes to 0 and back knows from its first call on what it had learned', async () => {
  const [to, client] = [await service('known'), await mesh.lazyClient('sleeper')];
  await learn(client, to);
  const before = await sidecarOf('sleeper');
  await client.envoy.stop();
  await mesh.bed.client.delete(reference('Pod', client.name));
  await eventually(
    'the controller knows that it has no pods',
    async () => (await mesh.controller.api.workload(client.workload)).pods.length === 0,
  );
  const woken = await mesh.client('sleeper-1');
  await mesh.lazy(woken);
  assert.equal(await calls.http1(woken, to), woken.address);
  assert.deepEqual(await sidecarOf('sleeper'), before, 'nothing was written');
});

async function sidecarOf(deployment: string): Promise<unknown> {
  const sidecars = await mesh.sidecars();
  return sidecars.find(({ metadata }) => metadata.name === `lazyscope-deployment-${deployment}`);
}

test('A pod address that another workload gets within a second is never blamed on its former owner', async () => {
  const [to, other, former] = [await service('asked'), await service('asked-later'), await mesh.lazyClient('former')];
  await learn(former, to);
  await former.envoy.stop();
  const mac = run('ip', ['netns', 'exec', former.netns, 'cat', '/sys/class/net/eth0/address']).trim();
  run('ip', ['-n', former.netns, 'link', 'set', 'eth0', 'down']);
  await mesh.bed.client.delete(reference('Pod', former.name));
  const heir = await mesh.bed.pod('heir-0', { address: former.address });
  // The same one, as the neighbours remember it.
  run('ip', ['-n', heir.netns, 'link', 'set', 'eth0', 'address', mac]);
  await mesh.sidecar(heir);
  await mesh.lazy(heir);
  assert.equal(await calls.http1(heir, other), mesh.egress.pod.address);
  await mesh.learned(heir, other);
  const edgesOf = async (workload: string): Promise<readonly string[]> =>
    (await mesh.controller.api.edges(workload)).map((edge) => edge.to);
  assert.deepEqual(await edgesOf(heir.workload), [other.key]);
  assert.deepEqual(await edgesOf(former.workload), [to.key]);
});
