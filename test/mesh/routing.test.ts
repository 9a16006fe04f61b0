/** What Istio is told to do with requests holds from the first one, which crosses the egress, as later. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type App, loadApp } from '../support/apps/load-app.ts';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import { destinationRule, virtualService } from './bed/istio-objects.ts';

const PORT = 8080;

let mesh: IstioMesh;
/** Pods of one service, told apart by their label `version`. */
let stable: Pod;
let canary: Pod;
let servers: ReadonlyMap<Pod, App<'http1-server'>>;

before(async () => {
  mesh = await IstioMesh.start();
  await mesh.enforce('shop');
  stable = await serverPod('stable');
  canary = await serverPod('canary');
  servers = new Map([
    [stable, await loadApp(stable, 'http1-server')],
    [canary, await loadApp(canary, 'http1-server')],
  ]);
  for (const server of servers.values()) await server.call('listenHttp1', PORT);
});
after(() => mesh.destroy());

async function serverPod(version: string): Promise<Pod> {
  return mesh.bed.pod(`server-${version}`, {
    interception: 'none',
    labels: { version },
    annotations: { 'lazyscope.io/mode': 'Off' },
  });
}

/** A service with both pods and subsets of each, and rules for it that the egress's sidecar has. */
async function service(name: string, http?: (host: string) => readonly object[]): Promise<ServiceHandle> {
  const handle = await mesh.bed.service({ name, ports: { http: PORT }, pods: [stable, canary] });
  const subsets = ['stable', 'canary'].map((version) => ({ name: version, labels: { version } }));
  await mesh.bed.client.apply(destinationRule(handle.host, { subsets }));
  if (http) await mesh.bed.client.apply(virtualService(handle.host, http(handle.host)));
  await eventually(`the egress has the rules for ${name}`, async () => {
    const admin = mesh.admin(mesh.egress.pod);
    const routes = JSON.stringify(await admin.dump('RoutesConfigDump'));
    const needed = http ? `outbound|${PORT}|canary|${handle.host}` : `outbound|${PORT}||${handle.host}`;
    return routes.includes(needed) && (await admin.clusters()).includes(`outbound|${PORT}|canary|${handle.host}`);
  });
  return handle;
}

class Client {
  readonly pod: Pod;
  readonly #app: App<'http1-client'>;
  #last = 0;

  private constructor(pod: Pod, app: App<'http1-client'>) {
    this.pod = pod;
    this.#app = app;
  }

  static async start(name: string): Promise<Client> {
    const pod = await mesh.lazyClient(name);
    return new Client(pod, await loadApp(pod, 'http1-client'));
  }

  async send({ address, port, host }: ServiceHandle, path: string, more: Readonly<Record<string, string>> = {}) {
    this.#last += 1;
    const testCase = `${this.pod.name}-${this.#last}`;
    const headers = { host, 'x-case': testCase, ...more };
    const answer = await this.#app.call('send', { connection: testCase, address, port, path, headers });
    return { ...answer, testCase };
  }

  /** Which pod answers, and whom it saw. */
  async ask(to: ServiceHandle, headers: Readonly<Record<string, string>> = {}): Promise<{ server: Pod; peer: string }> {
    const { status, body, testCase } = await this.send(to, '/peer', headers);
    assert.equal(status, 200, body);
    for (const [server, app] of servers) {
      const seen = await app.call('seenRequest', testCase).catch(() => undefined);
      if (seen) return { server, peer: seen.peer };
    }
    throw new Error('no server saw the request');
  }

  /** Waits until requests no longer cross the egress. */
  async direct(to: ServiceHandle): Promise<void> {
    await mesh.learned(this.pod, to);
    await eventually('requests go direct', async () => (await this.ask(to)).peer === this.pod.address);
  }
}

const bySubset = (subset: string) => (host: string) => ({ destination: { host, subset, port: { number: PORT } } });

suite('From the first request on', { concurrency: 4 }, () => {
  test('a header decides for the subset of a DestinationRule', async () => {
    const to = await service('matched', (host) => [
      { match: [{ headers: { 'x-try': { exact: 'canary' } } }], route: [bySubset('canary')(host)] },
      { route: [bySubset('stable')(host)] },
    ]);
    const client = await Client.start('matching');
    const first = await client.ask(to, { 'x-try': 'canary' });
    assert.deepEqual(first, { server: canary, peer: mesh.egress.pod.address });
    assert.equal((await client.ask(to)).server, stable);
    await client.direct(to);
    assert.deepEqual(await client.ask(to, { 'x-try': 'canary' }), { server: canary, peer: client.pod.address });
    assert.deepEqual(await client.ask(to), { server: stable, peer: client.pod.address });
  });

  test('what is called by its short name is ruled too', async () => {
    const to = await service('short', (host) => [{ route: [bySubset('canary')(host)] }]);
    const byShortName = { ...to, host: to.name };
    const client = await Client.start('brief');
    assert.deepEqual(await client.ask(byShortName), { server: canary, peer: mesh.egress.pod.address });
    for (let request = 1; request < 5; request += 1) assert.equal((await client.ask(byShortName)).server, canary);
    await client.direct(byShortName);
    assert.deepEqual(await client.ask(byShortName), { server: canary, peer: client.pod.address });
  });

  test('weights share the requests', async () => {
    const to = await service('weighted', (host) => [
      {
        route: [
          { ...bySubset('stable')(host), weight: 50 },
          { ...bySubset('canary')(host), weight: 50 },
        ],
      },
    ]);
    const client = await Client.start('weighing');
    const answered = async (): Promise<ReadonlySet<string>> => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => client.ask(to)));
      return new Set(answers.map(({ server, peer }) => `${server.name} called by ${peer}`));
    };
    const [egress, self] = [mesh.egress.pod.address, client.pod.address];
    const by = (peer: string): readonly string[] => [canary, stable].map(({ name }) => `${name} called by ${peer}`);
    assert.deepEqual([...(await answered())].sort(), by(egress));
    await client.direct(to);
    assert.deepEqual([...(await answered())].sort(), by(self));
  });

  test('a timeout ends a request', async () => {
    const to = await service('timed', (host) => [{ timeout: '0.5s', route: [bySubset('canary')(host)] }]);
    const client = await Client.start('timing');
    assert.equal((await client.send(to, '/slow')).status, 504);
    await client.direct(to);
    assert.equal((await client.send(to, '/slow')).status, 504);
  });

  test('a service without rules is not timed out', async () => {
    const to = await service('patient');
    const client = await Client.start('waiting');
    const { status, body } = await client.send(to, '/slow');
    assert.deepEqual({ status, body }, { status: 200, body: 'at last' });
  });
});

test('The destinations of a VirtualService come into scope with its host, and nothing else does', async () => {
  const [behind, other] = [await service('behind'), await service('other')];
  const front = await service('front', (host) => [
    { match: [{ uri: { prefix: '/never' } }], route: [bySubset('canary')(host)] },
    { route: [{ destination: { host: behind.host, subset: 'canary', port: { number: PORT } } }] },
  ]);
  const client = await Client.start('following');
  assert.deepEqual(await client.ask(front), { server: canary, peer: mesh.egress.pod.address });
  await client.direct(front);
  assert.deepEqual(await client.ask(front), { server: canary, peer: client.pod.address });
  const clusters = await mesh.outboundClusters(client.pod);
  const hosts = new Set(clusters.map((cluster) => cluster.slice(cluster.lastIndexOf('|') + 1)));
  assert.deepEqual([...hosts].sort(), [behind.host, front.host].sort());
  assert.ok(!hosts.has(other.host));
  const edges = await mesh.controller.api.edges(client.pod.workload);
  assert.deepEqual([...new Set(edges.map(({ to }) => to))], [front.key], 'only what was called is an edge');
});

test('Rules from another namespace than that of the service hold too', async () => {
  await mesh.bed.namespace('rules');
  const to = await service('ruled-from-afar');
  const route = [{ destination: { host: to.host, subset: 'canary', port: { number: PORT } } }];
  await mesh.bed.client.apply(
    virtualService(to.host, [{ headers: { request: { add: { 'x-ruled': 'yes' } } }, route }], 'rules'),
  );
  const client = await Client.start('ruled');
  const isRuled = async (): Promise<boolean> => {
    const { testCase } = await client.send(to, '/peer');
    const seen = await servers
      .get(canary)
      ?.call('seenRequest', testCase)
      .catch(() => undefined);
    return seen?.rawHeaders.includes('x-ruled') ?? false;
  };
  await eventually('the egress applies the rule', isRuled);
  await client.direct(to);
  assert.ok(await isRuled(), 'also when the request goes direct');
});
