import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER, LISTENER, ROUTE_CONFIGURATION, type Service } from '../../../../controller/core/model.ts';
import type { MeshView } from '../../../../controller/core/snapshot/mesh-view.ts';
import { isRelayedVersion } from '../../../../controller/core/snapshot/resource-encoder.ts';
import { banner, database, ledger, queue, search, service, web } from '../resources/services.ts';
import { countingBuilder, eager, lazy, meshView, namesOf, versionsOf } from './mesh-view.ts';

const SHOP = [web, ledger, banner, database, search, queue];
const nothingLearned = {
  Cluster: ['outbound|8080||banner.shop.svc.cluster.local'],
  ClusterLoadAssignment: [],
  Listener: ['0.0.0.0_8080', '10.96.0.20_8080', 'fd00::20_8080'],
  RouteConfiguration: ['8080'],
};

const withDatabase = {
  ...nothingLearned,
  Cluster: ['outbound|5432||database.shop.svc.cluster.local', ...nothingLearned.Cluster],
  ClusterLoadAssignment: ['outbound|5432||database.shop.svc.cluster.local'],
  Listener: ['0.0.0.0_8080', '10.96.0.20_8080', '10.96.0.21_5432', 'fd00::20_8080'],
};

const withWeb = {
  ...nothingLearned,
  Cluster: [...nothingLearned.Cluster, 'outbound|8080||web.shop.svc.cluster.local'],
  ClusterLoadAssignment: ['outbound|8080||web.shop.svc.cluster.local'],
};

const withSearch = {
  ...nothingLearned,
  Cluster: [...nothingLearned.Cluster, 'outbound|8080||search.shop.svc.cluster.local'],
};

const gone = service('gone.shop', [[8080, 'HTTP']]);
const otherPort = { ...web, ports: [{ name: 'other', port: 9999, protocol: 'HTTP' as const }] };

const cases: readonly { title: string; scope: ReturnType<typeof lazy>; expected: ReturnType<typeof namesOf> }[] = [
  {
    title: 'a sidecar that has learned nothing holds HTTP ports and TCP services on them',
    scope: lazy([]),
    expected: nothingLearned,
  },
  { title: 'a learned HTTP service is a cluster with endpoints', scope: lazy([web]), expected: withWeb },
  { title: 'a warm service is held like a routed one', scope: lazy([], [web]), expected: withWeb },
  {
    title: 'a learned TCP service on a port that is HTTP nowhere has a listener too',
    scope: lazy([database]),
    expected: withDatabase,
  },
  {
    title: 'a learned headless HTTP service is a cluster without endpoints',
    scope: lazy([search]),
    expected: withSearch,
  },
  { title: 'a headless TCP service stays with the egress', scope: lazy([queue]), expected: nothingLearned },
  {
    title: 'services and ports that are gone are left out of the scope',
    scope: lazy([gone, otherPort]),
    expected: nothingLearned,
  },
  {
    title: 'a learned TCP service on a mixed port has the same names and endpoints',
    scope: lazy([banner]),
    expected: { ...nothingLearned, ClusterLoadAssignment: nothingLearned.Cluster },
  },
];

for (const { title, scope, expected } of cases) {
  test(title, () => {
    assert.deepEqual(namesOf(countingBuilder().builder.sidecar(meshView(SHOP), scope, 'shop')), expected);
  });
}

test('services that were told with one list of ports have endpoints of their own, also when only those change', () => {
  const mesh = [web, service('card.shop', [[8080, 'HTTP']])].map((one) => ({ ...one, ports: web.ports }));
  const { builder } = countingBuilder();
  const scope = lazy(mesh);
  const behind = (suffix: string): MeshView => {
    const addressOf = (key: string): string => `${key} ${suffix}`;
    return { ...meshView(mesh), endpoints: (key) => [{ address: addressOf(key), port: 8000, ready: true }] };
  };
  builder.sidecar(behind('before'), scope, 'shop');
  const moved = builder.sidecar(behind('after'), scope, 'shop');
  assert.deepEqual(versionsOf(moved), versionsOf(countingBuilder().builder.sidecar(behind('after'), scope, 'shop')));
});

test('an eager sidecar holds every service but headless TCP', () => {
  const { Cluster } = namesOf(countingBuilder().builder.sidecar(meshView(SHOP), eager, 'shop'));
  const holdable = [database, banner, ledger, search, web];
  assert.deepEqual(
    Cluster,
    holdable.map(({ host, ports }) => `outbound|${ports[0]?.port}||${host}`),
  );
});

test('the relay table holds every service port, with endpoints unless headless', () => {
  const names = namesOf(countingBuilder().builder.relayTable(meshView(SHOP)));
  assert.equal(names['Cluster']?.length, SHOP.length);
  assert.deepEqual(
    names['ClusterLoadAssignment'],
    names['Cluster']?.filter((name) => !/search|queue/.test(name)),
  );
  assert.deepEqual([names['Listener'], names['RouteConfiguration']], [[], []]);
});

test('learning a TCP service on a mixed port changes its cluster and leaves its listener alone', () => {
  const { builder } = countingBuilder();
  const view = meshView(SHOP);
  const name = 'outbound|8080||banner.shop.svc.cluster.local';
  const before = builder.sidecar(view, lazy([]), 'shop');
  const after = builder.sidecar(view, lazy([banner]), 'shop');
  assert.equal(isRelayedVersion(before[CLUSTER].get(name)?.version ?? ''), true);
  assert.equal(isRelayedVersion(after[CLUSTER].get(name)?.version ?? ''), false);
  assert.equal(after[LISTENER], before[LISTENER]);
});

test('of two services with one ClusterIP and port the first has the listener, learned or not', () => {
  const first = service('a.shop', [[5432, 'TCP']], { clusterIPs: ['10.96.0.7'] });
  const second = service('b.shop', [[5432, 'TCP']], { clusterIPs: ['10.96.0.7'] });
  const onMixedPort = service('c.shop', [[5432, 'HTTP']], { clusterIPs: ['10.96.0.8'] });
  for (const others of [[], [onMixedPort]]) {
    const versions = [[first, second], [second, first], [first]].map((services) => {
      const snapshot = countingBuilder().builder.sidecar(meshView([...services, ...others]), lazy(services), 'shop');
      return snapshot[LISTENER].get('10.96.0.7_5432')?.version;
    });
    assert.deepEqual(new Set(versions).size, 1);
  }
});

test('clients of one namespace and those of others share routes unless a service is of their namespace', () => {
  const { builder } = countingBuilder();
  const view = meshView(SHOP);
  const routes = (learned: Service, namespace: string) =>
    builder.sidecar(view, lazy([learned]), namespace)[ROUTE_CONFIGURATION].get('8080');
  assert.equal(routes(web, 'bank'), routes(web, 'other'));
  assert.notEqual(routes(web, 'bank'), routes(web, 'shop'));
  assert.equal(routes(web, 'shop'), routes(web, 'shop'));
});

test('routes for a name that no port has are empty', () => {
  assert.equal(countingBuilder().builder.unknownRoute('1').name, '1');
});
