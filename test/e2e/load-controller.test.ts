/**
 * A controller of a large mesh under load: what it learned stays, and nothing else. The load comes twice, since the first
 * time is when it learns.
 */
import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import type { Gauges } from '../support/apps/resource-gauge.ts';
import { Bed } from '../support/bed/bed.ts';
import { GaugedProgram } from '../support/bed/gauged-program.ts';
import { assertBack } from '../support/bed/gauges-back.ts';
import { answers, getText } from '../support/bed/http-get.ts';
import { KubernetesFolder } from '../support/bed/kubernetes-folder.ts';
import { metricSum } from '../support/bed/metric-sum.ts';
import type { Pod } from '../support/bed/pod.ts';
import { CONTROLLER_GRPC_PORT, CONTROLLER_HTTP_PORT } from '../support/bed/ports.ts';
import type { RemoteModule } from '../support/bed/remote-module.ts';
import { eventually } from '../support/eventually.ts';
import { ALL_DIFFERENT, DIFFERENT } from '../support/load/access-log-flood.ts';
import {
  POPULAR,
  SERVICES,
  SERVICES_PER_WORKLOAD,
  serviceWithEndpoints,
  WORKLOADS,
  workloadPod,
} from '../support/load/large-mesh.ts';

type Crowd = RemoteModule<typeof import('../support/load/ads-crowd.ts')>;
type Flood = RemoteModule<typeof import('../support/load/access-log-flood.ts')>;

/** Each different entry so often: 1,000,000 entries, 90 % of them repeats. */
const TIMES = 10;
const HTTP_PORTS = 8;
const PATIENCE = { timeoutMs: 120_000, intervalMs: 250 };

let bed: Bed;
let mesh: KubernetesFolder;
let controller: GaugedProgram;
let url: string;
let target: string;
let clientPod: Pod;

function list(file: string, items: readonly object[]): void {
  mesh.writeText(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

before(async () => {
  bed = await Bed.create();
  mesh = new KubernetesFolder(bed.folder('mesh'));
  const numbers = Array.from({ length: SERVICES }, (_, number) => number);
  list(
    'services.json',
    numbers.filter((number) => number !== POPULAR).flatMap((number) => serviceWithEndpoints(number)),
  );
  list('popular.json', serviceWithEndpoints(POPULAR));
  list(
    'pods.json',
    Array.from({ length: WORKLOADS }, (_, workload) => workloadPod(workload)),
  );
  const { hostAddress } = bed.network;
  target = `${hostAddress}:${CONTROLLER_GRPC_PORT}`;
  url = `http://${hostAddress}:${CONTROLLER_HTTP_PORT}`;
  controller = new GaugedProgram(bed, {
    command: 'controller',
    flags: {
      path: mesh.path,
      'grpc-listen': target,
      'http-listen': `${hostAddress}:${CONTROLLER_HTTP_PORT}`,
      egress: '10.199.0.1:15080',
      'store-path': `${bed.folder('store')}/lazyscope.db`,
      'log-level': 'warn',
    },
  });
  clientPod = bed.pod('client-0', { interception: 'none' });
  await eventually('the controller is ready', () => answers(`${url}/readyz`), PATIENCE);
});
after(() => bed.destroy());

async function metric(name: string, label = ''): Promise<number> {
  return metricSum(await getText(`${url}/metrics`), `lazyscope_${name}`, label);
}

/** What it holds once nobody is connected. */
async function atRest(): Promise<Gauges> {
  await eventually(
    'no client is connected',
    async () => (await metric('xds_clients')) + (await metric('access_log_streams')) === 0,
    PATIENCE,
  );
  return controller.gauges();
}

async function newCrowd(): Promise<Crowd> {
  const crowd: Crowd = await clientPod.load(new URL('../support/load/ads-crowd.ts', import.meta.url));
  await crowd.call('connectAll', target);
  return crowd;
}

async function converged(crowd: Crowd, services = SERVICES_PER_WORKLOAD): Promise<void> {
  const holding = async (): Promise<boolean> => (await crowd.call('holding', services, HTTP_PORTS)) === WORKLOADS;
  await eventually('every sidecar holds all that its workload uses', holding, PATIENCE);
}

/** The service that all use gets other endpoints, and every sidecar hears of it. */
async function follow(crowd: Crowd, generation: number): Promise<void> {
  const before = [...(await crowd.call('versionsOf', POPULAR)).keys()];
  assert.equal(before.length, 1);
  list('popular.json', serviceWithEndpoints(POPULAR, generation));
  const heard = async (): Promise<boolean> => {
    const versions = [...(await crowd.call('versionsOf', POPULAR))];
    return versions.length === 1 && versions[0]?.[0] !== before[0] && versions[0]?.[1] === WORKLOADS;
  };
  await eventually('every sidecar has the new endpoints', heard, PATIENCE);
}

/** Half of them leave politely, the others die. */
async function leave(crowd: Crowd): Promise<void> {
  await crowd.call('disconnect', WORKLOADS / 2);
  await crowd.stop();
}

/** How long each step takes, for who wonders why it takes so long. */
function clock(t: TestContext): (step: string) => void {
  let at = performance.now();
  return (step) => {
    t.diagnostic(`${((performance.now() - at) / 1_000).toFixed(1)} s: ${step}`);
    at = performance.now();
  };
}

test('1,000 sidecars and 1,000,000 access log entries leave behind what they taught, and nothing else', async (t) => {
  const took = clock(t);
  const flood: Flood = await clientPod.load(new URL('../support/load/access-log-flood.ts', import.meta.url));
  await flood.call('prepare');
  took('entries encoded');

  const firstSeconds = await flood.call('flood', target, 1);
  took('all different entries taken');
  const first = await newCrowd();
  await converged(first, SERVICES_PER_WORKLOAD - 1);
  took('sidecars connected');
  await flood.call('useLastServices', target);
  await converged(first);
  took('one more service learned by all');
  await follow(first, 1);
  took('a change followed');
  await leave(first);
  const learned = await atRest();
  const edges = await metric('edges');

  took('left');
  const second = await newCrowd();
  const secondSeconds = await flood.call('flood', target, TIMES - 1);
  await converged(second);
  took('connected again under repeats');
  await follow(second, 2);
  took('a change followed');
  await second.call('disconnect', WORKLOADS / 2);
  await eventually('half of them are gone', async () => (await metric('xds_clients')) === WORKLOADS / 2, PATIENCE);
  await second.call('reconnect', WORKLOADS / 2);
  await eventually('they are back', async () => (await metric('xds_clients')) === WORKLOADS, PATIENCE);
  await follow(second, 3);
  took('half of them left and came back');
  assert.equal(await second.call('told'), 0, 'who says what it holds is not told that again');
  await leave(second);

  const { report } = await assertBack(learned, atRest);
  t.diagnostic(
    `entries a second: ${Math.round(ALL_DIFFERENT / firstSeconds)} new, ${Math.round(((TIMES - 1) * ALL_DIFFERENT) / secondSeconds)} repeated`,
  );
  t.diagnostic(report);
  assert.equal(await metric('edges'), edges, 'repeats taught nothing');
  assert.equal(edges - (await metric('edges', 'relayed')), WORKLOADS * SERVICES_PER_WORKLOAD);
  const answered = DIFFERENT.edges + DIFFERENT.addresses;
  assert.ok((await metric('access_log_entries_total', 'attributed')) >= answered * TIMES);
  assert.equal(await metric('access_log_entries_total', 'unanswered'), DIFFERENT.unanswered * TIMES);
  assert.equal(await metric('access_log_entries_total', 'invalid'), 0);
  for (const limit of ['WaitingEntries', 'RelayedAddresses']) {
    assert.ok((await metric('limits_reached_total', limit)) > 0, `${limit} was reached`);
  }
  assert.ok(controller.process.log().split('\n').length < 1_000, 'the log stays short');
});
