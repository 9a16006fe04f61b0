/** What every command prints, word for word: `test/golden/cli`. `make golden` renews the files. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertForgettable } from '../../../controller/core/graph/forget.ts';
import type { RelayReason } from '../../../controller/core/model.ts';
import type { EdgeReport, ReadModel } from '../../../controller/core/report.ts';
import type { HttpServerOptions } from '../../../controller/http/server.ts';
import { emptyMesh, shop } from '../http/shop.ts';
import { startServer } from '../http/start-server.ts';
import { type CliResult, runCli } from './run-cli.ts';

const folder = join(import.meta.dirname, '../../golden/cli');

interface Screen {
  readonly args: readonly string[];
  readonly server?: Partial<HttpServerOptions>;
}

const empty = { readModel: emptyMesh };
const degraded = { name: 'store', ok: false, degraded: true, detail: 'read-only' };
const unready = { name: 'graph', ok: false, detail: 'not loaded' };

const noEgress = { ...shop, edges: () => [], mesh: () => ({ ...shop.mesh(), edges: 0, egresses: 0 }) };
const noProxies = { ...shop, edges: () => [], mesh: () => ({ ...shop.mesh(), edges: 0, proxies: 0 }) };
const strangers = Array.from(
  { length: 6 },
  (_, index) => `sidecar~10.0.9.${index}~new-${index}.shop~shop.svc.cluster.local`,
);
const unknownPods = { ...shop, mesh: () => ({ ...shop.mesh(), unknownProxies: strangers }) };
const noTraffic = { ...shop, edges: () => [], mesh: () => ({ ...shop.mesh(), edges: 0 }) };

/** Istio mode: what should be lazy is not. */
const refused: ReadModel = {
  ...shop,
  workload: (key) => {
    const report = shop.workload(key);
    const message = 'Sidecar shop/theirs applies to these pods and stays in force: delete it to let them be lazy';
    const publication = { state: 'Eager', routed: 0, warm: 0, refusal: { reason: 'UserSidecar', message } } as const;
    return report && { ...report, clusters: { kept: 1204, total: 1204 }, publication };
  },
};
/** One workload with an edge of every reason why one stays on the egress. */
const ofReason: Readonly<Record<RelayReason, Pick<EdgeReport, 'to' | 'port' | 'protocol'>>> = {
  PodIP: { to: '10.0.7.9:8080', port: 8080, protocol: 'TCP' },
  NodeIP: { to: '192.168.0.5:30080 (node-1)', port: 30080, protocol: 'HTTP1' },
  External: { to: '192.0.2.7:443 (api.example.com)', port: 443, protocol: 'TLS' },
  HostMismatch: { to: 'shop/cart.shop.svc.cluster.local', port: 80, protocol: 'HTTP1' },
  SniMismatch: { to: 'bank/payments.bank.svc.cluster.local', port: 8443, protocol: 'TLS' },
  ProtocolMismatch: { to: 'shop/search.shop.svc.cluster.local', port: 80, protocol: 'TCP' },
  CapturesPort: { to: 'shop/taker.example.com', port: 443, protocol: 'TLS' },
  UndeclaredHeadless: { to: 'shop/peers.shop.svc.cluster.local', port: 7777, protocol: 'TCP' },
};
const { relayReason: _, ...plainEdge } = shop.edges({}).find(({ state }) => state === 'relayed') as EdgeReport;
const relayedEdges = (Object.keys(ofReason) as RelayReason[]).map((relayReason, index) => {
  const bytes = { bytesSent: 1_000, bytesReceived: index * 1_000 };
  return { ...plainEdge, ...ofReason[relayReason], from: 'lab/Deployment/cart', relayReason, ...bytes };
});
const everyReason: ReadModel = {
  ...shop,
  workload: (key) => {
    const report = shop.workload(key);
    return report && { ...report, dependencies: 0, relayed: relayedEdges.length, edges: relayedEdges };
  },
};
const cuts = (_workload: string, service: string): never => {
  assertForgettable(service, [{ name: 'smtp', port: 25, protocol: 'TCP' }], true);
  throw new Error('it may be forgotten');
};

const screens: Readonly<Record<string, Screen>> = {
  status: { args: ['status'] },
  'status-namespace': { args: ['status', '-n', 'shop'] },
  'status-unknown-namespace': { args: ['status', '-n', 'nowhere'] },
  'status-yaml': { args: ['status', '-n', 'lab', '-o', 'yaml'] },
  'status-empty': { args: ['status'], server: empty },
  'status-no-proxies': {
    args: ['status'],
    server: {
      readModel: { ...shop, workloads: () => shop.workloads({}).map((report) => ({ ...report, proxies: [] })) },
    },
  },
  'status-degraded': { args: ['status'], server: { readiness: () => [degraded] } },
  'status-not-ready': { args: ['status'], server: { readiness: () => [unready, degraded] } },
  'status-unknown-pods': { args: ['status', '-n', 'lab'], server: { readModel: unknownPods } },
  'status-only-unknown-pods': {
    args: ['status'],
    server: {
      readModel: {
        ...shop,
        mesh: () => ({ ...shop.mesh(), proxies: 1, unknownProxies: strangers.slice(0, 1) }),
        workloads: () => shop.workloads({}).map((report) => ({ ...report, proxies: [] })),
      },
    },
  },
  graph: { args: ['graph'] },
  'graph-json': { args: ['graph', '-n', 'lab', '-o', 'json'] },
  'graph-dot': { args: ['graph', '-o', 'dot'] },
  'graph-mermaid': { args: ['graph', '-o', 'mermaid'] },
  'graph-empty': { args: ['graph'], server: empty },
  'graph-empty-dot': { args: ['graph', '-o', 'dot'], server: empty },
  edges: { args: ['edges'] },
  'edges-all-namespaces': { args: ['edges', '-A'] },
  'edges-from': { args: ['edges', '--from', 'deploy/cart.shop'] },
  'edges-to': { args: ['edges', '--to', 'redis.shop'] },
  'edges-to-nothing': { args: ['edges', '--to', 'nothing.shop'] },
  'edges-json': { args: ['edges', '-n', 'lab', '-o', 'json'] },
  'edges-no-egress': { args: ['edges'], server: { readModel: noEgress } },
  'edges-no-proxies': { args: ['edges'], server: { readModel: noProxies } },
  'edges-no-traffic': { args: ['edges'], server: { readModel: noTraffic } },
  explain: { args: ['explain', 'deploy/checkout.shop'] },
  'explain-to': { args: ['explain', 'deploy/checkout.shop', '--to', 'payments.bank'] },
  'explain-missing': { args: ['explain', 'deploy/checkout.shop', '--to', 'redis.shop'] },
  'explain-missing-no-proxy': { args: ['explain', 'sts/redis', '--to', 'cart'] },
  'explain-missing-off': { args: ['explain', 'deploy/cart.shop', '--to', 'payments.bank'] },
  'explain-off': { args: ['explain', 'deploy/cart.shop'] },
  'explain-rejected': { args: ['explain', 'deploy/cart.lab'] },
  'explain-json': { args: ['explain', 'deploy/cart.lab', '-o', 'json'] },
  'explain-unknown': { args: ['explain', 'deploy/nobody.shop'] },
  'explain-elsewhere': { args: ['explain', 'sts/redis.lab'] },
  'explain-ambiguous': { args: ['explain', 'deploy/cart'] },
  'explain-empty': { args: ['explain', 'deploy/cart'], server: empty },
  'edges-not-ready': { args: ['edges'], server: { ...empty, readiness: () => [unready] } },
  'explain-refused': { args: ['explain', 'deploy/checkout.shop'], server: { readModel: refused } },
  'explain-relayed': { args: ['explain', 'deploy/cart.lab'], server: { readModel: everyReason } },
  'explain-relayed-to': {
    args: ['explain', 'deploy/cart.lab', '--to', 'cart.shop'],
    server: { readModel: everyReason },
  },
  'explain-relayed-json': { args: ['explain', 'deploy/cart.lab', '-o', 'json'], server: { readModel: everyReason } },
  forget: { args: ['forget', 'deploy/checkout.shop', '--to', 'cart.shop'] },
  'forget-json': { args: ['forget', 'deploy/checkout.shop', '--to', 'payments.bank', '-o', 'json'] },
  'forget-unknown': { args: ['forget', 'deploy/checkout.shop', '--to', 'nothing.shop'] },
  'forget-refused': { args: ['forget', 'deploy/checkout.shop', '--to', 'email'], server: { forget: cuts } },
  bootstrap: { args: ['bootstrap', 'deploy/cart.shop', '--controller', '10.0.0.1:15010', '--admin-port', '15000'] },
  'bootstrap-json': { args: ['bootstrap', 'cart-55c8-aaaaa.shop', '--egress', '10.0.0.2:15080', '-o', 'json'] },
};

function transcript(args: readonly string[], { stdout, stderr, exitCode }: CliResult): string {
  const messages = stderr === '' ? '' : `--- stderr\n${stderr}`;
  return `$ lazyscope ${args.join(' ')}\n${stdout}${messages}--- exit ${exitCode}\n`;
}

for (const [name, { args, server }] of Object.entries(screens)) {
  test(`lazyscope ${args.join(' ')} prints ${name}`, async (t) => {
    const url = await startServer(t, server);
    const result = await runCli([...args, '--server', url]);
    t.assert.fileSnapshot(transcript(args, result), join(folder, `${name}.txt`), { serializers: [String] });
  });
}

test('the help of the program', async (t) => {
  const result = await runCli(['--help']);
  t.assert.fileSnapshot(transcript(['--help'], result), join(folder, 'help.txt'), { serializers: [String] });
});

test('no golden file is left over', () => {
  const expected = [...Object.keys(screens), 'help'].map((name) => `${name}.txt`);
  assert.deepEqual(readdirSync(folder).sort(), expected.sort());
});
