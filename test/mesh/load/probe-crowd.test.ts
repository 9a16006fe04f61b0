/**
 * The probe beside 300 eager proxies: istiod's queue is then long enough for the probe to overtake a workload. Figures are
 * told as diagnostics.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { credentials } from '@grpc/grpc-js';
import type { ManifestWriter } from '../../../controller/core/publishing.ts';
import { IstiodProbe } from '../../../controller/istiod/istiod-probe.ts';
import { IstiodClient } from '../../support/ads/istiod-client.ts';
import { clusterOf } from '../../support/bed/api-client.ts';
import type { Envoy } from '../../support/bed/envoy.ts';
import type { KubernetesObject } from '../../support/bed/kubernetes-objects.ts';
import { MeshBed } from '../bed/mesh-bed.ts';
import { XDS_PORT } from '../bed/ports.ts';
import { rewriting } from '../unrelated-writes.ts';
import type { CrowdOptions, CrowdReport } from './probe-crowd-thread.ts';

const CROWD = 300;
const WORKLOADS = 8;
const SERVICES = 40;
/** More names that every eager proxy is told of with each push, so that the queue is long. */
const EXTERNAL_HOSTS = 500;
const SETTLE_MS = 1_000;

let mesh: MeshBed;
let crowd: Worker;
let probe: IstiodProbe;
let workloads: readonly IstiodClient[];
/** One more workload, with a real Envoy. */
let envoy: Envoy;
/** When the probe wrote each of its marks; the second one of a round when the first was shown. */
const marksAt: number[] = [];

before(async () => {
  mesh = await MeshBed.start();
  const { hostAddress } = mesh.bed.network;
  const istiod = `${hostAddress}:${XDS_PORT}`;
  const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`);
  for (const name of names) await mesh.service({ name, ports: { http: 8080 } });
  await mesh.client.applyAll(externalEntries());
  for (const namespace of ['lazyscope', 'crowd']) await mesh.namespace(namespace);
  await applySidecars(0);
  envoy = await mesh.startEnvoy(await mesh.pod('envoy-0'));
  workloads = Array.from({ length: WORKLOADS }, (_, index) => {
    const name = `workload-${index}`;
    return new IstiodClient({ istiod, name, namespace: 'shop', address: `10.251.0.${index + 1}`, app: name });
  });
  const workerData: CrowdOptions = { istiod, size: CROWD, namespace: 'crowd', routes: ['8080'] };
  crowd = new Worker(new URL('./probe-crowd-thread.ts', import.meta.url), { workerData });
  await once(crowd, 'message');
  const writer: Pick<ManifestWriter, 'write'> = {
    write: async (change) => {
      marksAt.push(performance.now());
      if (change.type === 'Apply') await mesh.client.apply(change.manifest as unknown as KubernetesObject);
    },
  };
  probe = new IstiodProbe({
    istiods: async () => [{ address: hostAddress, port: XDS_PORT }],
    credentials: credentials.createInsecure(),
    namespace: 'lazyscope',
    clusterDomain: 'cluster.local',
    writer,
    settleMs: SETTLE_MS,
    timeoutMs: 120_000,
    logger: { debug: () => {}, info: () => {}, warn: console.warn },
  });
  await probe.start();
});
after(async () => {
  await probe?.stop();
  for (const workload of workloads ?? []) workload.close();
  await crowd?.terminate();
  mesh?.destroy();
});

/** A hundred hosts each. */
function externalEntries(): KubernetesObject[] {
  return Array.from({ length: EXTERNAL_HOSTS / 100 }, (_, entry) => ({
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: `external-${entry}`, namespace: 'shop' },
    spec: {
      hosts: Array.from({ length: 100 }, (_, host) => `host-${host}.external-${entry}.example.com`),
      ports: [{ number: 8080, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: '192.0.2.1' }],
    },
  }));
}

/** A workload's Sidecar with one service in scope. */
function sidecar(app: string, service: number): KubernetesObject {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Sidecar',
    metadata: { name: app, namespace: 'shop' },
    spec: {
      workloadSelector: { labels: { app } },
      egress: [{ hosts: [`shop/service-${service}.shop.svc.cluster.local`] }],
    },
  };
}

/** One phase of every workload. */
async function applySidecars(service: number): Promise<void> {
  const apps = ['envoy', ...Array.from({ length: WORKLOADS }, (_, index) => `workload-${index}`)];
  await Promise.all(apps.map((app) => mesh.client.apply(sidecar(app, service))));
}

async function crowdResponses(): Promise<number> {
  crowd.postMessage('');
  const [{ responses }] = (await once(crowd, 'message')) as [CrowdReport];
  return responses;
}

/** How long after the first mark, after the second, and before the confirmation a workload had its phase. */
interface Sample {
  readonly afterFirst: number;
  readonly afterSecond: number;
  readonly margin: number;
  readonly roundMs: number;
}

/** A change of every workload, confirmed. Fails if any of them has not got it by then. */
async function round(service: number): Promise<readonly Sample[]> {
  marksAt.splice(0);
  const before = workloads.map(({ told }) => told.length);
  const startedAt = performance.now();
  await applySidecars(service);
  await probe.confirm();
  const confirmedAt = performance.now();
  const secondShownAt = confirmedAt - SETTLE_MS;
  assert.equal(marksAt.length, 2);
  const cluster = clusterOf(`service-${service}`, 8080);
  assert.ok((await envoy.admin.clusters()).includes(cluster), 'the Envoy has its phase when it is confirmed');
  return workloads.map(({ told }, index) => {
    const got = told.slice(before[index]).find(({ added }) => added.includes(cluster));
    assert.ok(got, `workload-${index} has its phase when it is confirmed`);
    const [, firstShownAt = 0] = marksAt;
    return {
      afterFirst: got.at - firstShownAt,
      afterSecond: got.at - secondShownAt,
      margin: confirmedAt - got.at,
      roundMs: confirmedAt - startedAt,
    };
  });
}

function diagnose(t: TestContext, samples: readonly Sample[]): void {
  const range = (key: keyof Sample): string => {
    const sorted = samples.map((sample) => sample[key]).sort((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.round(share * (sorted.length - 1))] ?? 0).toFixed(0);
    return `${key} ms: min ${at(0)}, median ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)}`;
  };
  const after = (key: keyof Sample, ms: number): number => samples.filter((sample) => sample[key] > ms).length;
  t.diagnostic(
    `${samples.length} phases; ${(['afterFirst', 'afterSecond', 'margin', 'roundMs'] as const).map(range).join('; ')}`,
  );
  t.diagnostic(`after the first mark: ${after('afterFirst', 0)}, and by more than 1 s: ${after('afterFirst', 1_000)}`);
  t.diagnostic(
    `after the second mark: ${after('afterSecond', 0)}, and by more than 0.5 s: ${after('afterSecond', 500)}`,
  );
}

const TRAFFIC = [
  { title: 'while istiod is quiet', everyMs: undefined, rounds: 5 },
  { title: 'while everybody is pushed to, again and again', everyMs: 250, rounds: 20 },
  { title: 'while unrelated configuration holds back every push', everyMs: 20, rounds: 2 },
];

for (const { title, everyMs, rounds } of TRAFFIC) {
  test(`every workload has its phase when it is confirmed, ${title}`, async (t) => {
    const stop = everyMs === undefined ? async () => 0 : rewriting(mesh, everyMs);
    const samples: Sample[] = [];
    const pushes = await mesh.istiod.metric('pilot_xds_pushes');
    try {
      for (let index = 0; index < rounds; index += 1) samples.push(...(await round(1 + (index % (SERVICES - 1)))));
    } finally {
      await stop();
    }
    t.diagnostic(`${(await mesh.istiod.metric('pilot_xds_pushes')) - pushes} pushes by istiod`);
    diagnose(t, samples);
    // Else this would not show that the second mark is needed.
    if (everyMs === 250) assert.ok(samples.some(({ afterFirst }) => afterFirst > 0));
  });
}

test('a confirmation pushes nothing to anybody but the probe', async () => {
  // What the last test began may still be on its way.
  await probe.confirm();
  const before = await crowdResponses();
  const told = workloads.map((workload) => workload.told.length);
  await probe.confirm();
  assert.equal(await crowdResponses(), before);
  assert.deepEqual(
    workloads.map((workload) => workload.told.length),
    told,
  );
});
