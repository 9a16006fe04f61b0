import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type SidecarParts, sidecarManifest, sidecarRef } from '../../../../controller/core/istio/sidecar.ts';
import { EGRESS, FRONT, keyOf, PLACEHOLDER, SETTINGS } from './istio-world.ts';

const parts = (options: Partial<SidecarParts>): SidecarParts => ({
  workload: FRONT,
  selector: { app: 'front' },
  base: [PLACEHOLDER, EGRESS],
  routed: new Set(),
  warm: new Set(),
  ...options,
});

test('a Sidecar names its workload, its pods, the egress and exact hosts, sorted', () => {
  const routed = new Set([keyOf('web'), keyOf('cart'), EGRESS]);
  assert.deepEqual(sidecarManifest(parts({ routed }), SETTINGS), {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: {
      namespace: 'shop',
      name: 'lazyscope-deployment-front',
      labels: { 'app.kubernetes.io/managed-by': 'lazyscope' },
      annotations: { 'lazyscope.io/workload': FRONT },
    },
    spec: {
      workloadSelector: { labels: { app: 'front' } },
      outboundTrafficPolicy: {
        mode: 'ALLOW_ANY',
        egressProxy: { host: 'lazyscope-egress.lazyscope.svc.cluster.local', port: { number: 15080 } },
      },
      egress: [{ hosts: [EGRESS, PLACEHOLDER, keyOf('cart'), keyOf('web')] }],
    },
  });
});

test('what is only held has an entry of its own, before the one that catches everything', () => {
  const { spec } = sidecarManifest(parts({ warm: new Set([keyOf('web'), keyOf('cart')]) }), SETTINGS);
  const egress = 'egress' in spec ? spec.egress : undefined;
  assert.deepEqual(egress, [
    {
      port: { number: 15998, protocol: 'HTTP_PROXY', name: 'warm' },
      bind: '127.0.0.1',
      hosts: [keyOf('cart'), keyOf('web')],
    },
    { hosts: [EGRESS, PLACEHOLDER] },
  ]);
});

test('namespace and cluster domain are those of the settings', () => {
  const settings = { ...SETTINGS, namespace: 'lazy', clusterDomain: 'corp.example' };
  assert.match(JSON.stringify(sidecarManifest(parts({}), settings)), /lazyscope-egress\.lazy\.svc\.corp\.example/);
});

test('the order in which services were learned makes no difference', () => {
  const hosts = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
  fc.assert(
    fc.property(hosts, hosts, (routed, warm) => {
      const print = (keys: (list: string[]) => string[]): string =>
        JSON.stringify(
          sidecarManifest(parts({ routed: new Set(keys([...routed])), warm: new Set(keys([...warm])) }), SETTINGS),
        );
      assert.equal(
        print((list) => list),
        print((list) => list.reverse()),
      );
    }),
  );
});

test('the name is one of Kubernetes, whatever the workload is called, and tells workloads apart', () => {
  const name = fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/);
  fc.assert(
    fc.property(name, name, (one, other) => {
      const [a, b] = [one, other].map((each) => sidecarRef(`shop/StatefulSet/${each}`).name);
      for (const each of [a, b]) assert.match(each ?? '', /^[a-z0-9][a-z0-9.-]{0,251}[a-z0-9]$/);
      assert.equal(a === b, one === other);
    }),
    { numRuns: 1_000 },
  );
});

test('a name that is too long is cut before what may not stand before a hyphen', () => {
  const long = `${'x'.repeat(220)}.${'.-'.repeat(10)}${'y'.repeat(11)}`;
  const { name } = sidecarRef(`shop/Deployment/${long}`);
  assert.ok(name.length <= 253);
  assert.match(name, /x-[a-z0-9]+$/);
});
