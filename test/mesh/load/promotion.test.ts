/** No request fails while services enter and leave a scope, whatever istiod is doing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoadCount } from '../../support/apps/load.ts';
import { type App, loadApp } from '../../support/apps/load-app.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import { IstioMesh, type IstioMeshOptions } from '../bed/istio-mesh.ts';
import { rewriting } from '../unrelated-writes.ts';

const SERVICES = 20;
const REQUESTS_PER_SECOND = 1_000;
const [HTTP, TCP] = [8080, 9000];
const GREETING = '220 ready\r\n';
/** Longer than twelve seconds for each phase, istiod's debounce, and writes that are up to twelve seconds apart. */
const TIMEOUT_MS = 120_000;

/** A lazy client that calls all the services without a pause. */
class Scene {
  readonly mesh: IstioMesh;
  readonly client: Pod;
  readonly mail: ServiceHandle;
  readonly #services: readonly ServiceHandle[];
  readonly #load: App<'load'>;

  private constructor(mesh: IstioMesh, client: Pod, services: readonly ServiceHandle[], load: App<'load'>) {
    const [mail, ...others] = services;
    assert.ok(mail);
    this.mesh = mesh;
    this.client = client;
    this.mail = mail;
    this.#services = others;
    this.#load = load;
  }

  static async open(options: IstioMeshOptions): Promise<Scene> {
    const mesh = await IstioMesh.start(options);
    try {
      const server = await mesh.bed.pod('server-0', { interception: 'none', namespace: 'back' });
      await (await loadApp(server, 'http1-server')).call('listenHttp1', HTTP);
      await (await loadApp(server, 'tcp-server')).call('listenServerFirst', TCP);
      const parts = { namespace: 'back', pods: [server] };
      const services = [await mesh.service({ name: 'mail', ports: { tcp: TCP }, ...parts })];
      for (let index = 0; index < SERVICES; index += 1) {
        services.push(await mesh.service({ name: `web-${index}`, ports: { http: HTTP }, ...parts }));
      }
      await mesh.enforce('shop');
      const client = await mesh.lazyClient('client');
      await eventually(
        'nothing but what every lazy sidecar has is left',
        async () => {
          return (await mesh.outboundClusters(client)).length === 0;
        },
        { timeoutMs: TIMEOUT_MS },
      );
      return new Scene(mesh, client, services, await loadApp(client, 'load'));
    } catch (error) {
      mesh.destroy();
      throw error;
    }
  }

  async start(): Promise<void> {
    const targets = this.#services.map(({ key, address, port, host }) => ({ name: key, address, port, host }));
    await this.#load.call('startLoad', 'load', { targets, requestsPerSecond: REQUESTS_PER_SECOND });
  }

  /** Every service's newest answer came to this peer. */
  async allFrom(peer: string, what: string): Promise<void> {
    const isFrom = (count: LoadCount): boolean => this.#services.every(({ key }) => count.newest[key] === peer);
    await eventually(what, async () => isFrom(await this.#load.call('countLoad', 'load')), { timeoutMs: TIMEOUT_MS });
  }

  async promoted(): Promise<void> {
    const { controller } = this.mesh;
    await eventually(
      'every dependency is active',
      async () => {
        const edges = await controller.api.edges(this.client.workload);
        const isActive = (key: string): boolean => edges.some(({ to, state }) => to === key && state === 'active');
        return [this.mail, ...this.#services].every(({ key }) => isActive(key));
      },
      { timeoutMs: TIMEOUT_MS },
    );
    await this.allFrom(this.client.address, 'every service is called directly');
  }

  /** Takes all services out of the scope together; used on, they are learned again. */
  async evict(): Promise<void> {
    const { controller } = this.mesh;
    const before = (await this.#load.call('countLoad', 'load')).peers;
    await Promise.all(this.#services.map(({ key }) => controller.api.forget(this.client.workload, key)));
    const egress = this.mesh.egress.pod.address;
    const crossed = (count: LoadCount, key: string): number =>
      (count.peers[key]?.[egress] ?? 0) - (before[key]?.[egress] ?? 0);
    await eventually(
      'every service is called through the egress',
      async () => {
        const count = await this.#load.call('countLoad', 'load');
        return this.#services.every(({ key }) => crossed(count, key) > 0);
      },
      { timeoutMs: TIMEOUT_MS },
    );
  }

  /** Ends the load, of which nothing may have failed. */
  async stop(): Promise<void> {
    const { total, failures, peers } = await this.#load.call('stopLoad', 'load');
    assert.deepEqual(failures.slice(0, 10), [], `${failures.length} of ${total} requests failed`);
    assert.ok(total > 10 * REQUESTS_PER_SECOND, `only ${total} requests`);
    const egress = this.mesh.egress.pod.address;
    for (const { key } of this.#services) assert.ok((peers[key]?.[egress] ?? 0) > 0, `${key} never crossed the egress`);
  }
}

async function promoteAndEvict(scene: Scene, rounds: number): Promise<void> {
  const tcp = await loadApp(scene.client, 'tcp-client');
  await tcp.call('openLine', 'long', scene.mail, GREETING.length);
  await scene.start();
  for (let round = 0; round < rounds; round += 1) {
    await scene.promoted();
    await scene.evict();
  }
  await scene.promoted();
  await scene.stop();
  assert.equal(await tcp.call('echoLine', 'long', 'still there'), 'still there', 'a live TCP connection was cut');
}

test('No request fails while 20 services are promoted and evicted three times', async (t) => {
  const scene = await Scene.open({});
  t.after(() => scene.mesh.destroy());
  await promoteAndEvict(scene, 3);
});

test('No request fails when the probe tells that a phase has arrived', async (t) => {
  const scene = await Scene.open({ probe: true, controllerFlags: { 'promotion-delay': '12' } });
  t.after(() => scene.mesh.destroy());
  await promoteAndEvict(scene, 1);
  assert.ok((await scene.mesh.controller.metric('lazyscope_probes_total', 'result="told"')) > 0);
});

test('No request fails while unrelated configuration makes istiod push every ten seconds', async (t) => {
  // Writes 60 ms apart hold istiod's pushes back up to its longest debounce, also where this machine makes some late.
  const environment = { PILOT_DEBOUNCE_AFTER: '500ms' };
  const scene = await Scene.open({ probe: true, controllerFlags: { 'promotion-delay': '12' }, environment });
  t.after(() => scene.mesh.destroy());
  const stop = rewriting(scene.mesh.bed, 60);
  try {
    await promoteAndEvict(scene, 1);
  } finally {
    const writes = await stop();
    assert.ok(writes > 100, `only ${writes} unrelated writes`);
  }
});

test('No request fails with a debounce of a second, by the default delay alone', async (t) => {
  const scene = await Scene.open({
    controllerFlags: { 'promotion-delay': '12' },
    environment: { PILOT_DEBOUNCE_AFTER: '1s' },
  });
  t.after(() => scene.mesh.destroy());
  await promoteAndEvict(scene, 1);
});
