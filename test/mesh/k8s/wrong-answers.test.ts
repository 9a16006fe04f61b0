/** The Kubernetes source while a real API server's answers are late, cut, incomplete or no JSON on their way. */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import type { KubernetesTimings } from '../../../controller/k8s/timings.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import { eventually } from '../../support/eventually.ts';
import { ApiBed } from './api-bed.ts';
import { beginToFollow, checkOf } from './follow.ts';
import { type Tampering, TamperingProxy } from './tampering-proxy.ts';
import { ENDED_AT_ONCE, eachLine, lacking, tooOld } from './tamperings.ts';

const SERVICES = '/api/v1/services';
/** With the API server's own. */
const COUNT = 100;
const NAMES = Array.from({ length: COUNT - 1 }, (_, index) => `service-${index}`);

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
  await api.namespace('shop');
  await Promise.all(NAMES.map((name) => api.client.apply(service(name))));
  await cached(COUNT);
});
after(() => api.destroy());

function service(name: string): KubernetesObject {
  const spec = { ports: [{ name: 'http', port: 80 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'shop' }, spec };
}

/** First lists are answered from the server's cache, which lags: a change that was missing there comes as a watch's. */
async function cached(count: number): Promise<void> {
  await eventually(`the API server's cache has ${count} services`, async () => {
    const list = await api.client.request<{ items: unknown[] }>('GET', `${SERVICES}?resourceVersion=0`);
    return list.items.length === count;
  });
}

/** Makes one more, which goes when the test ends. */
async function add(t: TestContext, name: string): Promise<void> {
  await api.client.apply(service(name));
  t.after(async () => {
    await api.client.delete(service(name));
    await cached(COUNT);
  });
}

interface Tampers {
  /** What becomes of the nth list of services, counted from 1. */
  readonly list?: (nth: number) => Tampering | undefined;
  readonly watch?: (nth: number) => Tampering | undefined;
}

async function beginThroughProxy(t: TestContext, { list, watch }: Tampers, timings: Partial<KubernetesTimings> = {}) {
  const proxy = await TamperingProxy.start(api, t, ({ path, isWatch, nth }) =>
    path === SERVICES ? (isWatch ? watch : list)?.(nth) : undefined,
  );
  const kubeconfig = api.kubeconfig({ server: proxy.url });
  return { proxy, ...(await beginToFollow(t, { kubeconfig, mode: 'direct', timings })) };
}

test('a list that lacks much, and has it again at the second look, takes nothing away', async (t) => {
  const missing = new Set(NAMES.slice(0, COUNT / 2));
  const { proxy, sink, started } = await beginThroughProxy(t, {
    list: (nth) => (nth === 2 ? lacking((name) => missing.has(name)) : undefined),
    // So that there is a second list.
    watch: (nth) => (nth === 1 ? tooOld(() => add(t, 'added')) : undefined),
  });
  await started;
  await eventually('it watches again', () => proxy.watches(SERVICES).length === 2);
  assert.equal(proxy.lists(SERVICES).length, 3);
  const told = sink.log.filter((line) => line.includes(' Service '));
  assert.deepEqual(told.slice(COUNT), ['Applied Service shop/added']);
});

for (const [count, believed] of [
  [10, true],
  [11, false],
] as const) {
  test(`a list without ${count} of 100 objects is ${believed ? 'believed' : 'read again'}`, async (t) => {
    const missing = new Set(NAMES.slice(0, count));
    const { proxy, sink, started } = await beginThroughProxy(t, {
      list: (nth) => (nth > 1 ? lacking((name) => missing.has(name)) : undefined),
      watch: (nth) => (nth === 1 ? tooOld() : undefined),
    });
    await started;
    await sink.untilKnown('Service shop/service-0', false);
    assert.equal(proxy.lists(SERVICES).length, believed ? 2 : 3);
    const known = [...sink.objects.keys()].filter((name) => name.startsWith('Service '));
    assert.equal(known.length, COUNT - count);
  });
}

for (const [what, spoil] of [
  ['is no JSON', () => '<html>busy</html>\n'],
  ['has no end', (line: string) => line + ' '.repeat(17 * 1024 * 1024)],
] as const) {
  test(`a line of a watch that ${what} makes us list anew, which tells what it was about`, async (t) => {
    const { proxy, source, sink, started } = await beginThroughProxy(t, {
      watch: (nth) => (nth === 1 ? eachLine(spoil) : undefined),
    });
    await started;
    await eventually('it watches', () => proxy.watches(SERVICES).length === 1);
    await add(t, 'spoilt');
    await eventually('it watches again', () => proxy.watches(SERVICES).length === 2);
    assert.equal(proxy.lists(SERVICES).length, 2);
    assert.ok(sink.objects.has('Service shop/spoilt'));
    assert.deepEqual(sink.repetitions, []);
    await eventually('all is well', () => source.checks().every(({ ok }) => ok));
  });
}

test('a server that asks for time is given it', async (t) => {
  const body = '{"message":"too many requests"}';
  const { proxy, started } = await beginThroughProxy(t, {
    list: (nth) => (nth === 1 ? { type: 'Refusal', status: 429, headers: { 'retry-after': '1' }, body } : undefined),
  });
  await started;
  const [first = 0, second = 0] = proxy.lists(SERVICES).map(({ at }) => at);
  assert.ok(second - first >= 990, `${second - first} ms`);
});

test('what may not be read for a moment, as with a server that starts, is asked for again at once', async (t) => {
  const refusal: Tampering = { type: 'Refusal', status: 403, body: '{"message":"services is forbidden"}' };
  const { source, sink, started } = await beginThroughProxy(
    t,
    { list: (nth) => (nth === 1 ? refusal : undefined), watch: (nth) => (nth === 1 ? refusal : undefined) },
    { calmRetry: 60_000 },
  );
  await started;
  await sink.untilKnown('Service shop/service-0');
  await eventually('all is well', () => checkOf(source, 'kubernetes-rights') === 'every kind may be read');
});

test('what cannot be listed keeps us from being synced, and is named', async (t) => {
  let broken = true;
  const refusal: Tampering = { type: 'Refusal', status: 500, body: '{"message":"conversion webhook failed"}' };
  const { proxy, source, sink, started } = await beginThroughProxy(t, { list: () => (broken ? refusal : undefined) });
  await eventually('it was tried again', () => proxy.lists(SERVICES).length > 3);
  assert.deepEqual([sink.syncs, sink.batches], [[], []]);
  assert.match(
    checkOf(source, 'kubernetes-watches'),
    /^degraded: services not followed for \d+ s \(list services in all namespaces: conversion webhook failed\)$/,
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
  const timings = { firstRetry: 20, longestRetry: 60_000 };
  const { proxy, started } = await beginThroughProxy(t, { watch: () => ENDED_AT_ONCE }, timings);
  await started;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const { length } = proxy.watches(SERVICES);
  assert.ok(length > 1 && length < 15, `${length} watches in a second`);
});
