/** Many workloads that learn much at once cost few writes, and nobody else a push. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type App, loadApp } from '../../support/apps/load-app.ts';
import type { EnvoyAdmin } from '../../support/bed/envoy-admin.ts';
import type { Pod } from '../../support/bed/pod.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import { Calls } from '../bed/calls.ts';
import { IstioMesh } from '../bed/istio-mesh.ts';
import type { StoredObject } from '../bed/kubernetes-client.ts';
import { applyWorkload } from '../bed/workload-objects.ts';

const HTTP = 8080;
const WORKLOADS = 100;
const DEPENDENCIES = 10;
const SERVICES = 40;
const WITHIN_MS = 5_000;
const MOST_WRITES = 6;
const TIMEOUT_MS = 120_000;

interface Sidecar extends StoredObject {
  readonly metadata: StoredObject['metadata'] & { readonly generation: number };
  readonly spec: { readonly egress: readonly { readonly port?: object; readonly hosts: readonly string[] }[] };
}

/** Counters of configuration that istiod sent. */
const PUSHES = /^(cluster_manager\.cds|listener_manager\.lds)\.update_(success|rejected)$/;

let mesh: IstioMesh;
let crowd: App<'crowd'>;
let services: readonly ServiceHandle[];
/** One lazy, one eager. */
let uninvolved: readonly Pod[];
const callers: { readonly address: string; readonly deployment: string }[] = [];

before(async () => {
  mesh = await IstioMesh.start({ probe: true });
  const server = await mesh.bed.pod('server-0', { interception: 'none', namespace: 'back' });
  await Calls.serve(mesh.bed, server, { http1: [HTTP] });
  services = await Promise.all(
    Array.from({ length: SERVICES }, (_, index) =>
      mesh.service({ name: `service-${index}`, namespace: 'back', ports: { http: HTTP }, pods: [server] }),
    ),
  );
  const pod = await mesh.bed.pod('crowd-0', { interception: 'none', namespace: 'back' });
  crowd = await loadApp(pod, 'crowd');
  await mesh.enforce('shop');
  for (let index = 0; index < WORKLOADS; index += 1) {
    const [address, deployment] = [mesh.bed.bed.network.address((100 << 8) + index), `caller-${index}`];
    callers.push({ address, deployment });
  }
  await crowd.call(
    'addAddresses',
    callers.map(({ address }) => address),
  );
  await Promise.all(callers.map((caller) => applyCaller(caller)));
  const bystander = await mesh.lazyClient('bystander');
  await mesh.narrowed(bystander);
  uninvolved = [bystander, await mesh.client('eager-0', { namespace: 'elsewhere' })];
  await eventually('every workload is at rest', async () => isAtRest(await sidecars(), 0), { timeoutMs: TIMEOUT_MS });
});
after(() => mesh.destroy());

/** The objects of a workload whose pod has one of the crowd's addresses. */
async function applyCaller({ address, deployment }: (typeof callers)[number]): Promise<void> {
  const pod = { name: `${deployment}-0`, namespace: 'shop', deployment, address };
  await applyWorkload(mesh.bed.client, pod);
}

async function sidecars(): Promise<readonly Sidecar[]> {
  const all = (await mesh.sidecars()) as readonly Sidecar[];
  return all.filter(({ metadata }) => metadata.name.startsWith('lazyscope-deployment-caller-'));
}

/** Every caller's Sidecar routes to so many services, and none is on its way in or out. */
function isAtRest(found: readonly Sidecar[], dependencies: number): boolean {
  const count = ({ spec }: Sidecar): number =>
    spec.egress[0]?.hosts.filter((host) => host.startsWith('back/')).length ?? 0;
  return (
    found.length === WORKLOADS && found.every((one) => one.spec.egress.length === 1 && count(one) === dependencies)
  );
}

/** Each caller calls its services one after the other, spread over the time. */
async function learn(caller: number): Promise<void> {
  for (let index = 0; index < DEPENDENCIES; index += 1) {
    const to = services[(caller * 7 + index) % SERVICES];
    const from = callers[caller];
    assert.ok(to && from);
    await crowd.call('callAs', from.address, mesh.egress.listen, to);
    await setTimeout(WITHIN_MS / DEPENDENCIES / 2);
  }
}

async function pushes(pod: Pod): Promise<Readonly<Record<string, number>>> {
  const admin: EnvoyAdmin = mesh.admin(pod);
  return Object.fromEntries([...(await admin.stats(PUSHES))].sort());
}

test(`${WORKLOADS} workloads learn ${DEPENDENCIES} dependencies each with at most ${MOST_WRITES} writes a workload`, async (t) => {
  const before = new Map((await sidecars()).map(({ metadata }) => [metadata.name, metadata.generation]));
  const quiet = await Promise.all(uninvolved.map(pushes));
  const pushed = await mesh.bed.istiod.metric('pilot_xds_pushes');
  await Promise.all(callers.map((_, index) => learn(index)));
  await eventually('everything is routed to', async () => isAtRest(await sidecars(), DEPENDENCIES), {
    timeoutMs: TIMEOUT_MS,
  });
  const writes = (await sidecars()).map(({ metadata }) => metadata.generation - (before.get(metadata.name) ?? 0));
  const most = Math.max(...writes);
  const [total, all] = [
    writes.reduce((sum, count) => sum + count, 0),
    await mesh.bed.istiod.metric('pilot_xds_pushes'),
  ];
  t.diagnostic(`${total} writes, at most ${most} a workload; pilot_xds_pushes grew by ${all - pushed}`);
  assert.ok(most <= MOST_WRITES, `${most} writes of one workload`);
  assert.deepEqual(await Promise.all(uninvolved.map(pushes)), quiet, 'an uninvolved Envoy was sent something');
});
