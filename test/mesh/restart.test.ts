/** Restarts, most of them in the middle of a phase: the phase is finished, nothing else is written, nothing un-learned. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../support/bed/pod.ts';
import type { ServiceHandle } from '../support/bed/small-mesh.ts';
import { eventually } from '../support/eventually.ts';
import { Calls } from './bed/calls.ts';
import { IstioMesh } from './bed/istio-mesh.ts';
import type { StoredObject } from './bed/kubernetes-client.ts';

const HTTP = 8080;
/** Long enough to be in the middle of. */
const PROMOTION_DELAY_SECONDS = 6;
/** A Lease that was not given up runs out after 15 s; then there are two phases. */
const TIMEOUT_MS = 60_000;

interface Sidecar extends StoredObject {
  readonly metadata: StoredObject['metadata'] & { readonly generation: number };
  readonly spec: { readonly egress: readonly { readonly port?: object; readonly hosts: readonly string[] }[] };
}

let mesh: IstioMesh;
let calls: Calls;
let server: Pod;
/** Has learned something already, and is at rest. */
let settled: Pod;

before(async () => {
  mesh = await IstioMesh.start({ controllerFlags: { 'promotion-delay': String(PROMOTION_DELAY_SECONDS) } });
  server = await mesh.bed.pod('server-0', { interception: 'none', namespace: 'back' });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP] });
  await mesh.enforce('shop');
  settled = await mesh.lazyClient('settled');
  const known = await service('known');
  await calls.http1(settled, known);
  await mesh.learned(settled, known);
});
after(() => mesh.destroy());

async function service(name: string): Promise<ServiceHandle> {
  return mesh.service({ name, namespace: 'back', ports: { http: HTTP }, pods: [server] });
}

async function sidecarOf({ deployment }: Pod): Promise<Sidecar> {
  const sidecars = (await mesh.sidecars()) as readonly Sidecar[];
  const found = sidecars.find(({ metadata }) => metadata.name === `lazyscope-deployment-${deployment}`);
  assert.ok(found, `no Sidecar of ${deployment}`);
  return found;
}

/** What nobody should write: everything of ours but the Sidecar of the workload that learns. */
async function untouched(): Promise<readonly (string | undefined)[]> {
  const service = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'lazyscope', name } });
  const objects = [
    await sidecarOf(settled),
    await mesh.bed.client.get<StoredObject>(service('lazyscope-placeholder')),
    await mesh.bed.client.get<StoredObject>(service('lazyscope-decoy')),
  ];
  return objects.map(({ metadata }) => metadata.resourceVersion);
}

function isWarming({ spec }: Sidecar, { key }: ServiceHandle): boolean {
  return spec.egress.some(({ port, hosts }) => port !== undefined && hosts.includes(key));
}

function isRouted({ spec }: Sidecar, { key }: ServiceHandle): boolean {
  return spec.egress.length === 1 && spec.egress[0]?.hosts.includes(key) === true;
}

/** A new lazy client whose Sidecar has just taken a service in, not routed to yet. */
async function inTheMiddle(name: string): Promise<{ readonly client: Pod; readonly to: ServiceHandle }> {
  const client = await mesh.lazyClient(name);
  // Until then everything is warm, and what is learned needs no phase of its own.
  await eventually('the client is at rest', async () => (await sidecarOf(client)).spec.egress.length === 1);
  const to = await service(`for-${name}`);
  await calls.http1(client, to);
  await eventually('the service is warming', async () => isWarming(await sidecarOf(client), to));
  return { client, to };
}

const RESTARTS: Readonly<Record<string, () => Promise<void>>> = {
  'SIGTERM of the controller': () => mesh.controller.restart('SIGTERM'),
  'kill -9 of the controller': () => mesh.controller.restart('SIGKILL'),
  'the loss of the store': async () => {
    await mesh.controller.stop('SIGTERM');
    mesh.controller.deleteStore();
    await mesh.controller.start();
  },
  'kill -9 of the API server': () => mesh.bed.apiServer.restart('SIGKILL'),
  'a restart of istiod': () => mesh.bed.istiod.restart(),
};

for (const [index, [what, restart]] of Object.entries(RESTARTS).entries()) {
  test(`After ${what} in the middle of a phase, the phase is finished and nothing else is written`, async () => {
    const { client, to } = await inTheMiddle(`client-${index}`);
    const [before, others] = [(await sidecarOf(client)).metadata.generation, await untouched()];
    const edges = (await mesh.controller.api.edges()).map((edge) => `${edge.from} ${edge.to}`);
    await restart();
    await eventually('the service is routed to', async () => isRouted(await sidecarOf(client), to), {
      timeoutMs: TIMEOUT_MS,
    });
    await eventually('calls go direct', async () => (await calls.http1(client, to)) === client.address);
    assert.equal((await sidecarOf(client)).metadata.generation, before + 1, 'one write finishes the phase');
    assert.deepEqual(await untouched(), others, 'something else was written');
    const after = new Set((await mesh.controller.api.edges()).map((edge) => `${edge.from} ${edge.to}`));
    assert.deepEqual(
      edges.filter((edge) => !after.has(edge)),
      [],
      'edges were un-learned',
    );
  });
}

test('A restarted controller at rest writes nothing, whether it has its store or not', async () => {
  const sidecars = async () => (await mesh.sidecars()).map(({ metadata }) => metadata.resourceVersion);
  const before = await sidecars();
  await RESTARTS['SIGTERM of the controller']?.();
  await RESTARTS['the loss of the store']?.();
  // Whoever has learned and routed this has looked at all others.
  const sentinel = await inTheMiddle('sentinel');
  await mesh.learned(sentinel.client, sentinel.to);
  const now = new Set(await sidecars());
  assert.deepEqual(
    before.filter((version) => !now.has(version)),
    [],
  );
});
