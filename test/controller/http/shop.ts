/** A small mesh as the read model would tell it: every state, reason and flag of an edge occurs once. */
import type { EdgeFilter, EdgeReport, ReadModel, WorkloadReport } from '../../../controller/core/report.ts';

/** The moment that tests take as now. */
export const now = Date.parse('2026-11-20T12:00:00.000Z');

const defaults = {
  protocol: 'HTTP1',
  state: 'active',
  flags: [],
  origin: 'EgressLog',
  firstSeen: '2026-11-02T09:14:00.000Z',
  lastSeen: '2026-11-20T11:59:48.000Z',
  connections: 3,
  requests: 14_200,
  bytesSent: 1_000,
  bytesReceived: 2_000_000,
  errors: 0,
} as const;

const checkout = { ...defaults, from: 'shop/Deployment/checkout' } as const;
const promoted = { promotedAt: '2026-11-02T09:14:00.100Z' } as const;
const confirmed = { ...promoted, confirmedAt: '2026-11-02T09:14:00.150Z' } as const;

/** Sorted as the read model sorts. */
export const edges: readonly EdgeReport[] = [
  { ...defaults, from: 'lab/Deployment/cart', to: 'shop/gone.shop.svc.cluster.local', port: 80, flags: ['missing'] },
  { ...defaults, from: 'shop/Deployment/cart', to: 'shop/redis.shop.svc.cluster.local', port: 6379, protocol: 'TCP' },
  {
    ...checkout,
    to: '10.0.7.9:8080 (intranet.example.com)',
    port: 8080,
    state: 'relayed',
    relayReason: 'PodIP',
    lastSeen: '2026-11-20T11:00:00.000Z',
  },
  {
    ...checkout,
    to: '192.0.2.7:443 (api.example.com)',
    port: 443,
    protocol: 'TLS',
    state: 'relayed',
    relayReason: 'External',
  },
  { ...checkout, ...confirmed, to: 'bank/payments.bank.svc.cluster.local', port: 8443, protocol: 'TLS' },
  { ...checkout, ...confirmed, to: 'shop/cart.shop.svc.cluster.local', port: 80, flags: ['partlyRelayed'], errors: 2 },
  { ...checkout, to: 'shop/catalog.shop.svc.cluster.local', port: 50051, protocol: 'HTTP2', state: 'observed' },
  {
    ...checkout,
    ...promoted,
    to: 'shop/email.shop.svc.cluster.local',
    port: 25,
    protocol: 'TCP',
    state: 'warming',
    flags: ['degraded'],
  },
  {
    ...checkout,
    to: 'shop/search.shop.svc.cluster.local',
    port: 80,
    state: 'relayed',
    relayReason: 'HostMismatch',
    origin: 'Seed',
  },
];

const node = (address: string, pod: string): string => `sidecar~${address}~${pod}~shop.svc.cluster.local`;

const workloads: readonly WorkloadReport[] = [
  {
    workload: 'lab/Deployment/cart',
    mode: 'Enforce',
    modeSource: 'default',
    dependencies: 1,
    relayed: 0,
    clusters: { kept: 1, total: 1204 },
    pods: [{ name: 'cart-77f4-zzzzz', addresses: ['10.0.2.1'] }],
    proxies: [
      {
        node: node('10.0.2.1', 'cart-77f4-zzzzz.lab'),
        pod: 'cart-77f4-zzzzz',
        sync: 'Rejected',
        connectedSince: '2026-11-20T11:58:00.000Z',
        clusters: 0,
        rejected: 'outbound|80||gone.shop.svc.cluster.local: no such extension',
      },
    ],
  },
  {
    workload: 'shop/Deployment/cart',
    mode: 'Off',
    modeSource: 'annotation on Pod shop/cart-55c8-aaaaa',
    dependencies: 1,
    relayed: 0,
    clusters: { kept: 1204, total: 1204 },
    pods: [{ name: 'cart-55c8-aaaaa', addresses: ['10.0.1.3'] }],
    proxies: [
      {
        node: node('10.0.1.3', 'cart-55c8-aaaaa.shop'),
        pod: 'cart-55c8-aaaaa',
        sync: 'Synced',
        connectedSince: '2026-11-17T12:00:00.000Z',
        clusters: 1204,
        lastAck: '2026-11-20T11:00:00.000Z',
      },
    ],
  },
  {
    workload: 'shop/Deployment/checkout',
    mode: 'Enforce',
    modeSource: 'default',
    dependencies: 4,
    relayed: 3,
    clusters: { kept: 4, total: 1204 },
    pods: [
      { name: 'checkout-7d9f-aaaaa', addresses: ['10.0.1.1'] },
      { name: 'checkout-7d9f-bbbbb', addresses: ['10.0.1.2', 'fd00::2'] },
    ],
    proxies: [
      {
        node: node('10.0.1.1', 'checkout-7d9f-aaaaa.shop'),
        pod: 'checkout-7d9f-aaaaa',
        sync: 'Synced',
        connectedSince: '2026-11-20T07:00:00.000Z',
        clusters: 4,
        lastAck: '2026-11-20T11:59:59.000Z',
      },
      {
        node: node('10.0.1.2', 'checkout-7d9f-bbbbb.shop'),
        pod: 'checkout-7d9f-bbbbb',
        sync: 'Waiting',
        connectedSince: '2026-11-20T11:59:30.000Z',
        clusters: 3,
      },
    ],
  },
  {
    workload: 'shop/StatefulSet/redis',
    mode: 'Enforce',
    modeSource: 'default',
    dependencies: 0,
    relayed: 0,
    clusters: { kept: 0, total: 1204 },
    pods: [{ name: 'redis-0', addresses: ['10.0.1.9'] }],
    proxies: [],
  },
];

function filtered({ namespace, from, to }: EdgeFilter): readonly EdgeReport[] {
  return edges
    .filter((edge) => namespace === undefined || edge.from.startsWith(`${namespace}/`))
    .filter((edge) => from === undefined || edge.from === from)
    .filter((edge) => to === undefined || edge.to === to);
}

/** Answers from the constants above. */
export const shop: ReadModel = {
  mesh: () => ({
    services: 310,
    workloads: workloads.length,
    edges: edges.length,
    proxies: 4,
    egresses: 1,
    unknownProxies: [],
    problems: [{ subject: 'mesh.yaml document 3', reason: 'no kind', at: '2026-11-20T11:59:00.000Z' }],
    problemsTotal: 1,
  }),
  workloads: ({ namespace }) =>
    workloads.filter(({ workload }) => namespace === undefined || workload.startsWith(`${namespace}/`)),
  workload: (key) => {
    const report = workloads.find(({ workload }) => workload === key);
    return report && { ...report, edges: filtered({ from: key }) };
  },
  edges: filtered,
  graph: (filter) => {
    const found = filtered(filter);
    const workloadIds = [...new Set(found.map(({ from }) => from))];
    const otherIds = [...new Set(found.map(({ to }) => to))];
    return {
      nodes: [
        ...workloadIds.map((id) => ({ id, kind: 'Workload', namespace: id.slice(0, id.indexOf('/')) }) as const),
        ...otherIds.map((id) =>
          id.includes('/')
            ? ({ id, kind: 'Service', namespace: id.slice(0, id.indexOf('/')) } as const)
            : ({ id, kind: 'Address' } as const),
        ),
      ].sort((a, b) => (a.id < b.id ? -1 : 1)),
      edges: found,
    };
  },
};

/** A mesh that was just started: nothing is known yet. */
export const emptyMesh: ReadModel = {
  mesh: () => ({
    services: 0,
    workloads: 0,
    edges: 0,
    proxies: 0,
    egresses: 0,
    unknownProxies: [],
    problems: [],
    problemsTotal: 0,
  }),
  workloads: () => [],
  workload: () => undefined,
  edges: () => [],
  graph: () => ({ nodes: [], edges: [] }),
};
