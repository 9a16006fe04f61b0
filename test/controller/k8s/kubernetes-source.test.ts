/** What a real API server does not do on demand; the rest is in test/mesh/k8s. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { connectCluster } from '../../../controller/k8s/cluster.ts';
import { KubernetesSource } from '../../../controller/k8s/kubernetes-source.ts';
import type { KubernetesTimings } from '../../../controller/k8s/timings.ts';
import { eventually } from '../../support/eventually.ts';
import { serviceObject } from '../../support/kubernetes-objects.ts';
import { RecordingMeshSink } from '../../support/recording-mesh-sink.ts';
import { listOf, ScriptedApi } from './scripted-api.ts';

const IMPATIENT: Partial<KubernetesTimings> = { firstRetry: 20, longestRetry: 100, calmRetry: 50, secondLook: 100 };

const SERVICES = Array.from({ length: 100 }, (_, index) => serviceObject(`service-${index}`));

async function sourceOf(t: TestContext, api: ScriptedApi, timings = {}): Promise<KubernetesSource> {
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig() });
  const source = new KubernetesSource({
    cluster,
    clusterDomain: 'cluster.local',
    mode: 'direct',
    namespace: 'lazyscope',
    timings: { ...IMPATIENT, ...timings },
  });
  t.after(() => source.stop());
  return source;
}

const isServices = (url: URL): boolean => url.pathname === '/api/v1/services';
const isWatch = (url: URL): boolean => url.searchParams.has('watch');
const GONE = JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, message: 'too old' } });

test('a list that lacks much, and has it again at the second look, takes nothing away', async (t) => {
  let lists = 0;
  let watches = 0;
  const api = await ScriptedApi.start(t, (url, response) => {
    if (!isServices(url)) return false;
    if (isWatch(url)) {
      watches += 1;
      // The first watch is too old, so that there is a second list.
      response.write(watches === 1 ? `${GONE}\n` : '\n');
      return true;
    }
    lists += 1;
    const added = serviceObject('added');
    response.end(
      listOf(lists === 2 ? [added, ...SERVICES.slice(0, 50)] : lists === 1 ? SERVICES : [added, ...SERVICES]),
    );
    return true;
  });
  const source = await sourceOf(t, api);
  const sink = new RecordingMeshSink();
  await source.start(sink);
  await eventually('there was a second look', () => lists === 3 && watches === 2);
  assert.deepEqual(sink.log.slice(SERVICES.length), ['Applied Service shop/added']);
});

for (const [missing, believed] of [
  [10, true],
  [11, false],
] as const) {
  test(`a list without ${missing} of 100 objects is ${believed ? 'believed' : 'read again'}`, async (t) => {
    let lists = 0;
    const api = await ScriptedApi.start(t, (url, response) => {
      if (!isServices(url)) return false;
      if (isWatch(url)) {
        response.write(lists === 1 ? `${GONE}\n` : '\n');
        return true;
      }
      lists += 1;
      response.end(listOf(lists === 1 ? SERVICES : SERVICES.slice(missing)));
      return true;
    });
    const sink = new RecordingMeshSink();
    await (await sourceOf(t, api)).start(sink);
    await sink.untilKnown('Service shop/service-0', false);
    assert.equal(lists, believed ? 2 : 3);
    assert.equal(sink.objects.size, 100 - missing);
  });
}

for (const [what, bytes] of [
  ['is no JSON', '<html>busy</html>\n'],
  ['has no end', `"${'x'.repeat(17 * 1024 * 1024)}`],
] as const) {
  test(`a line of a watch that ${what} makes us list anew`, async (t) => {
    let watches = 0;
    const api = await ScriptedApi.start(t, (url, response) => {
      if (!isServices(url) || !isWatch(url)) return false;
      watches += 1;
      if (watches === 1) response.write(bytes);
      else response.flushHeaders();
      return true;
    });
    const source = await sourceOf(t, api);
    await source.start(new RecordingMeshSink());
    await eventually('it watches again', () => watches === 2);
    assert.equal(api.lists('services'), 2);
    await eventually('all is well', () => source.checks().every(({ ok }) => ok));
  });
}

test('a server that asks for time is given it', async (t) => {
  const asked: number[] = [];
  const api = await ScriptedApi.start(t, (url, response) => {
    if (!isServices(url) || isWatch(url)) return false;
    asked.push(performance.now());
    if (asked.length > 1) return false;
    response.writeHead(429, { 'retry-after': '1' }).end('{"message":"too many requests"}');
    return true;
  });
  const source = await sourceOf(t, api);
  await source.start(new RecordingMeshSink());
  const [first = 0, second = 0] = asked;
  assert.ok(second - first >= 990, `${second - first} ms`);
});

test('what cannot be listed keeps us from being synced, and is named', async (t) => {
  let broken = true;
  const api = await ScriptedApi.start(t, (url, response) => {
    if (!isServices(url) || !broken) return false;
    response.writeHead(500).end('{"message":"conversion webhook failed"}');
    return true;
  });
  const source = await sourceOf(t, api);
  const sink = new RecordingMeshSink();
  const started = source.start(sink);
  await eventually('it was tried again', () => api.lists('services') > 3);
  assert.deepEqual([sink.syncs, sink.batches], [[], []]);
  const [, watches] = source.checks();
  assert.match(
    watches?.detail ?? '',
    /^services not followed for \d+ s \(list services in all namespaces: conversion webhook failed\)$/,
  );
  assert.deepEqual(
    sink.problems.map(({ subject }) => subject),
    ['Kubernetes API'],
  );
  broken = false;
  await started;
  assert.equal(sink.syncs.length, 1);
});

test('a watch that is closed again and again is not asked for without end', async (t) => {
  let watches = 0;
  const api = await ScriptedApi.start(t, (url, response) => {
    if (!isServices(url) || !isWatch(url)) return false;
    watches += 1;
    response.end();
    return true;
  });
  const source = await sourceOf(t, api, { firstRetry: 20, longestRetry: 60_000 });
  await source.start(new RecordingMeshSink());
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.ok(watches < 15, `${watches} watches in a second`);
});
