/** External connections that leave from the pods themselves, as the installer has set (`--external-direct-ports`). */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { EdgeReport } from '../../controller/core/report.ts';
import type { Pod } from '../support/bed/pod.ts';
import { eventually } from '../support/eventually.ts';
import { Calls, type Target } from './bed/calls.ts';
import { assertLearned } from './bed/first-use.ts';
import { IstioMesh, type IstioMeshOptions } from './bed/istio-mesh.ts';
import { serviceEntry } from './bed/istio-objects.ts';
import type { StoredObject } from './bed/kubernetes-client.ts';

const [TLS, TCP, HTTP] = [443, 9000, 8080];
/** Pods and Services of every bed have addresses of 10.0.0.0/8; what is outside has another. */
const FLAGS = { 'external-direct-ports': `${TLS},${TCP}`, 'mesh-ranges': '10.0.0.0/8' };
const OUTSIDE: Target = { address: '203.0.113.7', port: TLS, host: 'www.example.com' };
const OUTSIDE_TCP: Target = { ...OUTSIDE, port: TCP };
const OFF = { 'lazyscope.io/mode': 'Off' };
const OWN_KINDS = ['ServiceEntry', 'VirtualService'];

class Scene {
  readonly mesh: IstioMesh;
  readonly server: Pod;
  readonly calls: Calls;
  readonly outside: Calls;

  private constructor(mesh: IstioMesh, server: Pod, calls: Calls, outside: Calls) {
    this.mesh = mesh;
    this.server = server;
    this.calls = calls;
    this.outside = outside;
  }

  static async start(options: IstioMeshOptions = { controllerFlags: FLAGS }): Promise<Scene> {
    const mesh = await IstioMesh.start(options);
    await mesh.enforce('shop');
    const hasAgent = mesh.bed.mutualTls === 'Strict';
    const server = hasAgent
      ? await mesh.client('server-0', { annotations: OFF })
      : await mesh.bed.pod('server-0', { annotations: OFF, interception: 'none' });
    const outside = mesh.bed.bed.pod('outside-0', { interception: 'none', address: OUTSIDE.address });
    const ports = { tls: [TLS], tcp: [TCP] };
    const calls = await Calls.serve(mesh.bed, server, { ...ports, http1: [HTTP] });
    return new Scene(mesh, server, calls, await Calls.serve(mesh.bed, outside, ports));
  }

  get egressAddress(): string {
    return this.mesh.egress.pod.address;
  }

  async service(name: string, ports: Readonly<Record<string, number>>) {
    return this.mesh.service({ name, ports, pods: [this.server] });
  }

  /** Waits until the outside sees the pod itself. */
  async goesDirect(client: Pod): Promise<void> {
    await eventually(`${client.name} calls the outside itself`, async () => {
      return (await this.outside.tls(client, OUTSIDE)) === client.address;
    });
  }

  /** Our two objects, as far as they exist. */
  async objects(): Promise<readonly StoredObject[]> {
    const metadata = { name: 'lazyscope-external-direct', namespace: 'lazyscope' };
    const found = OWN_KINDS.map(async (kind) => {
      const reference = { apiVersion: 'networking.istio.io/v1', kind, metadata };
      return this.mesh.bed.client.get(reference).catch((error: Error) => {
        assert.match(error.message, /404/);
        return [];
      });
    });
    return (await Promise.all(found)).flat();
  }

  /** Waits until readiness says it. */
  async told(detail: RegExp, isDegraded: boolean): Promise<void> {
    await eventually(`readiness says ${detail}`, async () => {
      const { ready } = await this.mesh.controller.api.status();
      const check = ready.find(({ name }) => name === 'external-direct');
      return check?.degraded === isDegraded && detail.test(check.detail);
    });
  }

  /** Waits until it is refused, and nothing of it is left. */
  async refused(why: RegExp): Promise<void> {
    await this.told(why, true);
    await eventually('nothing is left', async () => (await this.objects()).length === 0);
  }
}

suite('Ports that are direct', () => {
  let scene: Scene;
  before(async () => {
    scene = await Scene.start();
  });
  after(() => scene.mesh.destroy());

  test('are so for lazy pods, which call the outside themselves', async () => {
    const client = await scene.mesh.lazyClient('going-out');
    await scene.goesDirect(client);
    assert.equal(await scene.outside.tcp(client, OUTSIDE_TCP), client.address);
    await scene.told(/443, 9000/, false);
  });

  test('istiod accepts what is written for them', async () => {
    const objects = await scene.objects();
    assert.deepEqual(objects.map(({ kind }) => kind).sort(), OWN_KINDS);
    for (const { apiVersion, kind, metadata, spec } of objects as readonly (StoredObject & { spec: object })[]) {
      const { name, namespace = '' } = metadata;
      const answer = await scene.mesh.bed.istiod.validate({ apiVersion, kind, metadata: { name, namespace }, spec });
      assert.deepEqual(answer, { allowed: true, message: '' }, kind);
    }
  });

  for (const [what, ports] of [
    ['TLS', { tls: TLS }],
    ['TCP', { tcp: TCP }],
  ] as const) {
    test(`are no way round the egress for a ${what} service of the mesh, which is learned`, async () => {
      const name = `served-${what.toLowerCase()}`;
      const [to, client] = [await scene.service(name, ports), await scene.mesh.lazyClient(`${name}-client`)];
      await scene.goesDirect(client);
      const [own] = await scene.mesh.controller.api.edges(client.workload);
      assert.equal(own, undefined, 'what is direct is not learned');
      const call = () => (what === 'TLS' ? scene.calls.tls(client, to) : scene.calls.tcp(client, to));
      await assertLearned(scene.mesh, { client, to, call });
      assert.deepEqual(await scene.mesh.outboundClusters(client), [`outbound|${to.port}||${to.host}`]);
      assert.equal(await scene.mesh.admin(client).stat('listener_manager.lds.update_rejected'), 0);
    });
  }

  test("lead a pod's address to the egress, which shows it as what it is", async () => {
    const client = await scene.mesh.lazyClient('pod-caller');
    await scene.goesDirect(client);
    const seen = await scene.calls.tcp(client, { address: scene.server.address, port: TCP });
    assert.equal(seen, scene.egressAddress);
    const edges: readonly EdgeReport[] = await eventually('it is told', async () => {
      const found = await scene.mesh.controller.api.edges(client.workload);
      return found.length > 0 && found;
    });
    assert.deepEqual([...new Set(edges.map(({ relayReason }) => relayReason))], ['PodIP']);
  });

  test('change nothing for an eager pod in the same namespace', async () => {
    const eager = await scene.mesh.client('eager-0', { annotations: OFF });
    await eventually('it knows the ports', async () =>
      (await scene.mesh.admin(eager).clusters()).some((name) => name.includes('external-direct')),
    );
    assert.equal(await scene.outside.tls(eager, OUTSIDE), eager.address);
    assert.equal(await scene.calls.tcp(eager, { address: scene.server.address, port: TCP }), eager.address);
  });

  test('are given back while a pod has an address outside the ranges', async () => {
    const client = await scene.mesh.lazyClient('with-stranger');
    await scene.goesDirect(client);
    const options = { interception: 'none', address: '192.0.2.9', annotations: OFF } as const;
    const stranger = await scene.mesh.bed.pod('stranger-0', options);
    await scene.refused(/Pod shop\/stranger-0 has address 192\.0\.2\.9/);
    await eventually('the egress is asked', async () => {
      return (await scene.outside.tls(client, OUTSIDE)) === scene.egressAddress;
    });
    const { name, namespace } = stranger;
    await scene.mesh.bed.client.delete({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } });
    await scene.goesDirect(client);
  });

  test('are given back while a ServiceEntry is told apart by server name alone on one of them', async () => {
    const entry = { host: 'named.example.com', ports: { TLS }, resolution: 'DNS' } as const;
    await scene.mesh.bed.client.apply(serviceEntry(entry));
    await scene.refused(/port 443: ServiceEntry host shop\/named\.example\.com/);
    const metadata = { name: 'named', namespace: 'shop' };
    await scene.mesh.bed.client.delete({ apiVersion: 'networking.istio.io/v1', kind: 'ServiceEntry', metadata });
    await scene.told(/443, 9000/, false);
  });

  test('are given back where the mesh admits only what is registered', async () => {
    await scene.mesh.bed.configure({ outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } });
    await scene.refused(/REGISTRY_ONLY/);
    await scene.mesh.bed.configure({});
    await eventually('they are written again', async () => (await scene.objects()).length === 2);
  });

  test('are given back when nobody is lazy any more, and by a controller without the setting', async () => {
    await scene.mesh.enforce('shop', null);
    await eventually('nothing is left', async () => (await scene.objects()).length === 0);
    await scene.mesh.enforce('shop');
    await eventually('they are written again', async () => (await scene.objects()).length === 2);
    await scene.mesh.controller.stop();
    await scene.mesh.controller.start({}, Object.keys(FLAGS));
    await eventually('nothing is left', async () => (await scene.objects()).length === 0);
    const client = await scene.mesh.lazyClient('as-usual');
    assert.equal(await scene.outside.tls(client, OUTSIDE), scene.egressAddress);
    assert.equal(await scene.outside.tcp(client, OUTSIDE_TCP), scene.egressAddress);
  });
});

test('With real agents under STRICT the outside is called directly, and the mesh is learned through the egress', async (t) => {
  const { mesh, calls, outside, server } = await Scene.start({ controllerFlags: FLAGS, mutualTls: 'Strict' });
  t.after(() => mesh.destroy());
  const to = await mesh.service({ name: 'served', ports: { tls: TLS }, pods: [server] });
  const client = await mesh.lazyClient('client');
  await eventually('it calls the outside itself', async () => (await outside.tls(client, OUTSIDE)) === client.address);
  const relayed = (): Promise<number> => mesh.egress.metric('lazyscope_egress_connections_total');
  const first = await relayed();
  await calls.tls(client, to);
  assert.ok((await relayed()) > first, 'the first call crosses the egress');
  await mesh.learned(client, to);
  await eventually('calls go direct', async () => {
    const count = await relayed();
    await calls.tls(client, to);
    return (await relayed()) === count;
  });
});
