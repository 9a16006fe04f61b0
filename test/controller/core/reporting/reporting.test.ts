import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DependencyGraph } from '../../../../controller/core/graph/graph.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { Dependency } from '../../../../controller/core/model.ts';
import type { ClientStatus } from '../../../../controller/core/ports.ts';
import { Registry } from '../../../../controller/core/registry/registry.ts';
import {
  edgeReports,
  graphReport,
  type ReportView,
  unknownProxies,
  workloadDetail,
  workloadReports,
} from '../../../../controller/core/reporting/reporting.ts';
import { pod, service } from '../../../support/mesh-objects.ts';

const FRONT = 'shop/Deployment/front';
const CART = 'shop/cart.shop.svc.cluster.local';
const MESH: readonly MeshObject[] = [
  service('cart', { 80: 'HTTP', 9000: 'TCP' }, { clusterIP: '10.96.0.1' }),
  pod('front-0', '10.0.0.1'),
  pod('other-0', '10.0.0.2', { namespace: 'bank' }),
];

function dependency(port: number, options: Partial<Dependency> = {}): Dependency {
  return {
    source: FRONT,
    destination: { kind: 'Service', service: CART, port },
    protocol: 'HTTP1',
    origin: 'EgressLog',
    state: 'active',
    firstSeen: 1_000,
    lastSeen: 2_000,
    counters: { connections: 1, requests: 2, bytesSent: 3, bytesReceived: 4, errors: 5 },
    ...options,
  };
}

const external = dependency(443, {
  destination: { kind: 'Address', address: '93.184.216.34', port: 443, host: 'example.com' },
  protocol: 'TLS',
  state: 'relayed',
  relayReason: 'External',
});

function proxy(name: string, status: Partial<ClientStatus> = {}): ClientStatus {
  const id = `sidecar~10.0.0.1~${name}.shop~shop.svc.cluster.local`;
  const node = { id, kind: 'sidecar', address: '10.0.0.1', pod: name, namespace: 'shop', domain: '' } as const;
  return { node, stream: 1, connectedAt: 0, synced: true, clusters: 1, ...status };
}

function view(dependencies: readonly Dependency[], clients: readonly ClientStatus[] = [], now = 10_000): ReportView {
  const registry = new Registry({ defaultMode: 'Enforce' });
  registry.apply(MESH.map((object) => ({ type: 'Applied', object, at: 0 })));
  const graph = new DependencyGraph();
  for (const one of dependencies) graph.put(one);
  return { registry, graph, clients, publication: () => undefined, now };
}

describe('unknown proxies', () => {
  it('are the sidecars, not the egresses, whose pod no source has told', () => {
    const known = proxy('front-0');
    const egress = { ...proxy('egress-0'), node: { ...proxy('egress-0').node, kind: 'egress' as const } };
    const told = view([], [known, proxy('ghost-1'), egress, proxy('ghost-0')]);
    assert.deepEqual(unknownProxies(told), [proxy('ghost-0').node.id, proxy('ghost-1').node.id]);
  });
});

describe('edge reports', () => {
  it('have names, times and counters as people read them', () => {
    assert.deepEqual(edgeReports(view([dependency(80)]), {}), [
      {
        from: FRONT,
        to: CART,
        port: 80,
        protocol: 'HTTP1',
        state: 'active',
        flags: [],
        origin: 'EgressLog',
        firstSeen: '1970-01-01T00:00:01.000Z',
        lastSeen: '1970-01-01T00:00:02.000Z',
        connections: 1,
        requests: 2,
        bytesSent: 3,
        bytesReceived: 4,
        errors: 5,
      },
    ]);
  });

  it('name a relayed address with its host and reason', () => {
    const [edge] = edgeReports(view([external]), {});
    assert.equal(edge?.to, '93.184.216.34:443 (example.com)');
    assert.equal(edge?.relayReason, 'External');
  });

  it('are sorted, whatever the order of learning', () => {
    const edges = edgeReports(view([dependency(9000, { protocol: 'TCP' }), external, dependency(80)]), {});
    assert.deepEqual(
      edges.map(({ port }) => port),
      [443, 80, 9000],
    );
  });

  it('are filtered by namespace, source and service', () => {
    const all = view([dependency(80), external, dependency(80, { source: 'bank/Deployment/other' })]);
    assert.equal(edgeReports(all, { namespace: 'bank' }).length, 1);
    assert.equal(edgeReports(all, { from: FRONT }).length, 2);
    assert.equal(edgeReports(all, { to: CART }).length, 2);
    assert.equal(edgeReports(all, { from: FRONT, to: CART }).length, 1);
  });

  it('flag a port that no service has now, and a cluster that a connected sidecar does not confirm', () => {
    const gone = view([dependency(81)]);
    assert.deepEqual(edgeReports(gone, {})[0]?.flags, ['missing']);
    const warming = [dependency(80, { state: 'warming', promotedAt: 1_000 })];
    assert.deepEqual(edgeReports(view(warming, [proxy('front-0')]), {})[0]?.flags, ['degraded']);
    assert.deepEqual(edgeReports(view(warming), {})[0]?.flags, []);
  });
});

describe('workload reports', () => {
  it('count dependencies and relayed ones apart, and what a sidecar keeps of the mesh', () => {
    const [other, front] = workloadReports(view([dependency(80), external]), {});
    assert.equal(other?.workload, 'bank/Deployment/other');
    assert.deepEqual([front?.dependencies, front?.relayed, front?.clusters], [1, 1, { kept: 1, total: 2 }]);
  });

  it('show each proxy with its standing', () => {
    const rejected = {
      type: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
      resources: ['x'],
      message: 'bad',
    } as const;
    const cases: readonly (readonly [status: Partial<ClientStatus>, sync: string])[] = [
      [{}, 'Synced'],
      [{ synced: false }, 'Waiting'],
      [{ rejected }, 'Rejected'],
    ];
    for (const [status, sync] of cases) {
      const [, front] = workloadReports(view([], [proxy('front-0', status)]), {});
      assert.equal(front?.proxies[0]?.sync, sync);
    }
  });

  it('show a workload that is gone as long as it has edges, and nothing of one that never was', () => {
    const gone = view([dependency(80, { source: 'shop/Deployment/gone' })]);
    assert.equal(workloadDetail(gone, 'shop/Deployment/gone')?.edges.length, 1);
    assert.equal(workloadDetail(gone, 'shop/Deployment/never'), undefined);
  });

  it('leave out pods that have finished', () => {
    const some = view([]);
    const finished = pod('front-1', '10.0.0.3', { finished: true });
    some.registry.apply([{ type: 'Applied', object: finished, at: 0 }]);
    assert.deepEqual(
      workloadDetail(some, FRONT)?.pods.map(({ name }) => name),
      ['front-0'],
    );
  });

  it('show everything as kept where a pod is Off', () => {
    const off = view([dependency(80)]);
    const eager = pod('front-1', '10.0.0.3', { mode: 'Off' });
    off.registry.apply([{ type: 'Applied', object: eager, at: 0 }]);
    const detail = workloadDetail(off, FRONT);
    assert.deepEqual(
      [detail?.mode, detail?.modeSource, detail?.clusters.kept],
      ['Off', 'annotation on Pod shop/front-1', 2],
    );
  });
});

it('the graph has each end of its edges once, with its kind', () => {
  const { nodes, edges } = graphReport(view([dependency(80), dependency(9000), external]), {});
  assert.equal(edges.length, 3);
  assert.deepEqual(
    nodes.map(({ id, kind }) => `${kind} ${id}`),
    [
      'Address 93.184.216.34:443 (example.com)',
      'Workload shop/Deployment/front',
      'Service shop/cart.shop.svc.cluster.local',
    ],
  );
});
