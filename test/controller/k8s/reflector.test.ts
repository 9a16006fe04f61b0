/** Answers that a real API server does not give. All others are tried in test/mesh/k8s. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KnownObjects } from '../../../controller/k8s/known-objects.ts';
import { Reflector } from '../../../controller/k8s/reflector.ts';
import { watchedResources } from '../../../controller/k8s/resources.ts';
import { DEFAULT_TIMINGS } from '../../../controller/k8s/timings.ts';
import { clusterOf } from './cluster-of.ts';

test('a kind whose list in protobuf cannot be read is listed in JSON', async (t) => {
  const asked: (string | undefined)[] = [];
  const cluster = await clusterOf(t, ({ url = '', headers: { accept } }, response) => {
    response.setHeader('content-type', 'application/json');
    if (url.includes('watch=true')) {
      response.flushHeaders();
      return;
    }
    asked.push(accept);
    const isProtobuf = accept?.includes('protobuf') ?? false;
    if (isProtobuf) response.setHeader('content-type', 'application/vnd.kubernetes.protobuf');
    response.end(isProtobuf ? 'not at all' : JSON.stringify({ metadata: { resourceVersion: '7' }, items: [] }));
  });
  const resource = watchedResources('direct', 'lazyscope').find(({ kind }) => kind === 'Pod');
  assert(resource);
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const following = Promise.withResolvers<void>();
  const states: string[] = [];
  const reflector = new Reflector({
    cluster,
    resource,
    known: new KnownObjects(resource, { clusterDomain: 'cluster.local' }),
    listener: {
      told: () => undefined,
      settled: () => undefined,
      stateChanged: () => {
        const { state } = reflector;
        states.push('reason' in state ? state.reason : state.name);
        if (state.name === 'Following') following.resolve();
      },
    },
    timings: { ...DEFAULT_TIMINGS, firstRetry: 1 },
    now: Date.now,
    random: Math.random,
  });
  void reflector.run(stopping.signal);
  await following.promise;
  assert.match(states[0] ?? '', /protobuf cannot be read/);
  assert.equal(states[1], 'Following');
  assert.deepEqual(
    asked.map((accept) => accept?.includes('protobuf')),
    [true, false],
  );
});
