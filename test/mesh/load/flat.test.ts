/** A lazy sidecar holds what its workload uses, however large the mesh grows. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../support/bed/pod.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import { Calls } from '../bed/calls.ts';
import { IstioMesh } from '../bed/istio-mesh.ts';

const [HTTP, OTHER_HTTP, TCP] = [8080, 8081, 9000];
const MORE_HTTP_SERVICES = 1_000;
const MORE_TCP_SERVICES = 200;
/** A port that is HTTP nowhere. */
const MORE_TCP_PORT = 7000;

/** Counters of configuration that istiod sent. */
const PUSHES = /^(cluster_manager\.cds|listener_manager\.lds|http\..*\.rds\..*)\.update_(success|rejected)$/;

let mesh: IstioMesh;
let calls: Calls;
let client: Pod;
let web: ServiceHandle;
let mail: ServiceHandle;

before(async () => {
  mesh = await IstioMesh.start();
  await mesh.enforce('shop');
  const server = await mesh.bed.pod('server-0', { interception: 'none', annotations: { 'lazyscope.io/mode': 'Off' } });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP], tcp: [TCP] });
  web = await mesh.service({ name: 'web', ports: { http: HTTP, 'http-other': OTHER_HTTP }, pods: [server] });
  mail = await mesh.service({ name: 'mail', ports: { tcp: TCP }, pods: [server] });
  for (let index = 0; index < 20; index += 1) {
    await mesh.bed.service({ name: `unused-${index}`, ports: { http: HTTP, tcp: TCP }, pods: [server] });
  }
  client = await mesh.lazyClient('client');
});
after(() => mesh.destroy());

test('After learning, the clusters of a lazy sidecar are those of what it uses, and nothing else', async () => {
  for (const [to, call] of [
    [web, () => calls.http1(client, web)],
    [mail, () => calls.tcp(client, mail)],
  ] as const) {
    await call();
    await mesh.learned(client, to);
    await eventually('calls go direct', async () => (await call()) === client.address);
  }
  await eventually('the warm entry is gone', async () => {
    const [sidecar] = await mesh.sidecars();
    return !JSON.stringify(sidecar).includes('HTTP_PROXY');
  });
  assert.deepEqual(await mesh.outboundClusters(client), [
    `outbound|${HTTP}||${web.host}`,
    `outbound|${OTHER_HTTP}||${web.host}`,
    `outbound|${TCP}||${mail.host}`,
  ]);
  const all = (await mesh.admin(client).clusters()).filter((name) => name.startsWith('outbound|'));
  const own = all.filter((name) => name.includes('lazyscope'));
  assert.deepEqual(
    own,
    [
      'outbound|15080||lazyscope-egress.lazyscope.svc.cluster.local',
      'outbound|53||169-254-20-10.link-local.lazyscope.internal',
      `outbound|${HTTP}||lazyscope-placeholder.lazyscope.svc.cluster.local`,
      `outbound|${OTHER_HTTP}||lazyscope-placeholder.lazyscope.svc.cluster.local`,
      'outbound|80||169-254-169-254.link-local.lazyscope.internal',
      'outbound|80||169-254-170-2.link-local.lazyscope.internal',
      'outbound|80||169-254-170-23.link-local.lazyscope.internal',
      'outbound|80||lazyscope-placeholder.lazyscope.svc.cluster.local',
    ].sort(),
  );
});

test('1,000 more HTTP services and 200 more TCP services: no push, no listener, no memory', async () => {
  const admin = mesh.admin(client);
  await mesh.drained(client);
  const before = {
    memory: await settledMemory(),
    listeners: await admin.listeners(),
    pushes: await admin.stats(PUSHES),
  };
  await addServices('more-http', MORE_HTTP_SERVICES, { http: HTTP });
  await addServices('more-tcp', MORE_TCP_SERVICES, { tcp: MORE_TCP_PORT });
  // The egress's sidecar knows all of them: istiod has pushed.
  const egress = mesh.admin(mesh.egress.pod);
  const known = async (): Promise<number> =>
    (await egress.clusters()).filter((name) => /\|\|more-(http|tcp)-\d+\./.test(name)).length;
  await eventually('the egress knows all', async () => (await known()) === MORE_HTTP_SERVICES + MORE_TCP_SERVICES, {
    timeoutMs: 90_000,
    intervalMs: 500,
  });
  assert.deepEqual(await admin.listeners(), before.listeners);
  assert.deepEqual(await admin.stats(PUSHES), before.pushes);
  const memory = await settledMemory();
  assert.ok(memory < before.memory * 1.05, `${before.memory} bytes before, ${memory} after`);
  assert.equal(await calls.http1(client, web), client.address);
});

/** The least of some looks: a sidecar at work holds buffers. */
async function settledMemory(): Promise<number> {
  const looks: number[] = [];
  for (let look = 0; look < 5; look += 1) looks.push(await mesh.admin(client).memoryAllocated());
  return Math.min(...looks);
}

async function addServices(prefix: string, count: number, ports: Readonly<Record<string, number>>): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  for (let at = 0; at < count; at += 25) {
    await Promise.all(names.slice(at, at + 25).map((name) => mesh.bed.service({ name, ports })));
  }
}
