/** The Kubernetes source while connections, tokens, rights and the API server itself fail. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import { eventually } from '../../support/eventually.ts';
import type { RecordingMeshSink } from '../../support/recording-mesh-sink.ts';
import { ApiBed } from './api-bed.ts';
import { checkOf, type Followed, follow } from './follow.ts';
import { TcpProxy } from './tcp-proxy.ts';

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
  await api.namespace('shop');
});
after(() => api.destroy());

const PORTS = Array.from({ length: 12 }, (_, index) => 8001 + index);

function service(name: string, port: number): KubernetesObject {
  const spec = { ports: [{ name: 'http', port }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec };
}

/** The ports that were told of a service, in order. */
function portsTold(sink: RecordingMeshSink, name: string): number[] {
  return sink.batches.flat().flatMap((event) => {
    const isIt = event.type === 'Applied' && event.object.kind === 'Service' && event.object.name === name;
    return isIt && event.object.kind === 'Service' ? event.object.ports.map(({ port }) => port) : [];
  });
}

async function untilPort(sink: RecordingMeshSink, name: string, port: number): Promise<void> {
  await sink.until(`port ${port} of ${name} is told`, () => portsTold(sink, name).at(-1) === port);
}

async function throughProxy(t: TestContext, idleLimit = 60_000): Promise<Followed & { readonly proxy: TcpProxy }> {
  const proxy = await TcpProxy.start(api, t);
  const followed = await follow(t, { kubeconfig: api.kubeconfig({ server: proxy.url }), timings: { idleLimit } });
  await eventually('every kind is watched', () => proxy.connections > 10);
  return { ...followed, proxy };
}

test('closed watches lose no change and repeat none', async (t) => {
  const { sink, proxy } = await throughProxy(t);
  for (const port of PORTS) {
    if (port % 3 === 0) proxy.cut();
    await api.client.apply(service('closed', port));
    if (port % 3 !== 1) await untilPort(sink, 'closed', port);
  }
  await untilPort(sink, 'closed', PORTS.at(-1) ?? 0);
  assert.deepEqual(portsTold(sink, 'closed'), PORTS);
  assert.deepEqual(sink.repetitions, []);
});

test('a half-dead watch is replaced, and what it held back is told once', async (t) => {
  const { source, sink, proxy } = await throughProxy(t, 1_000);
  for (const port of PORTS) {
    if (port % 5 === 0) proxy.freeze();
    await api.client.apply(service('half-dead', port));
  }
  await untilPort(sink, 'half-dead', PORTS.at(-1) ?? 0);
  assert.deepEqual(portsTold(sink, 'half-dead'), PORTS);
  assert.deepEqual(sink.repetitions, []);
  assert.equal(checkOf(source, 'kubernetes-watches'), 'every kind is followed');
});

test('changes while the API server is out of reach and its history is lost are told as their sum', async (t) => {
  const { source, sink, proxy } = await throughProxy(t);
  for (const name of ['stays', 'changes', 'goes']) await api.client.apply(service(name, 80));
  await sink.untilKnown('Service shop/goes');
  const told = sink.log.length;
  proxy.refuse();
  await eventually('it is missed', () => checkOf(source, 'kubernetes-watches').includes('services not followed'));
  await api.client.apply(service('changes', 81));
  await api.client.apply(service('changes', 82));
  await api.client.delete(service('goes', 80));
  await api.client.apply(service('comes', 80));
  // A new process knows no earlier change: it answers 410.
  await api.apiServer.restart();
  assert.equal(sink.log.length, told);
  proxy.accept();
  await sink.untilKnown('Service shop/comes');
  await sink.untilKnown('Service shop/goes', false);
  assert.deepEqual(sink.log.slice(told).sort(), [
    'Applied Service shop/changes',
    'Applied Service shop/comes',
    'Deleted Service shop/goes',
  ]);
  assert.deepEqual(portsTold(sink, 'changes'), [80, 82]);
});

test('a killed API server takes nothing away, and is followed again when it is back', async (t) => {
  const { source, sink } = await follow(t, { kubeconfig: api.kubeconfig() });
  await api.client.apply(service('before', 80));
  await sink.untilKnown('Service shop/before');
  const told = sink.log.length;
  await api.apiServer.stop('SIGKILL');
  await eventually('it is named why', () =>
    /^degraded: .*services not followed for \d+ s \(.*ECONNREFUSED/.test(checkOf(source, 'kubernetes-watches')),
  );
  await api.apiServer.start();
  await api.client.apply(service('after', 80));
  await sink.untilKnown('Service shop/after');
  assert.deepEqual(sink.log.slice(told), ['Applied Service shop/after']);
  await eventually('all is well', () => checkOf(source, 'kubernetes-watches') === 'every kind is followed');
  assert.equal(sink.syncs.length, 1);
  assert.equal(sink.problems.filter(({ subject }) => subject === 'Kubernetes API').length, 1);
});

test('a source that starts without an API server waits for it', async (t) => {
  await api.apiServer.stop();
  const starting = follow(t, { kubeconfig: api.kubeconfig() });
  await api.apiServer.start();
  const { sink } = await starting;
  assert.ok(sink.objects.has('Namespace shop'));
  assert.deepEqual([sink.syncs.length, sink.repetitions], [1, []]);
});

test('writes under many faults: nothing is lost and nothing is told twice', async (t) => {
  const { sink, proxy } = await throughProxy(t, 700);
  const names = Array.from({ length: 10 }, (_, index) => `busy-${index}`);
  for (let round = 1; round <= 20; round += 1) {
    await Promise.all(names.map((name, index) => api.client.apply(service(name, round * 100 + index))));
    if (round % 7 === 0) await Promise.all(names.map((name) => api.client.delete(service(name, 0))));
    if (round % 4 === 1) proxy.cut();
    if (round % 5 === 2) proxy.freeze();
  }
  for (const [index, name] of names.entries()) await untilPort(sink, name, 2_000 + index);
  for (const [index, name] of names.entries()) {
    const rounds = Array.from({ length: 20 }, (_, round) => (round + 1) * 100 + index);
    assert.deepEqual(portsTold(sink, name), rounds);
  }
  assert.equal(sink.log.filter((line) => line.startsWith('Deleted Service shop/busy-')).length, 20);
  assert.deepEqual(sink.repetitions, []);
});
