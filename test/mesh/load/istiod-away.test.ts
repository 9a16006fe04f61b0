/** istiod goes away in the middle of a phase, for longer than any delay would have waited. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Pod } from '../../support/bed/pod.ts';
import type { ServiceHandle } from '../../support/bed/small-mesh.ts';
import { eventually } from '../../support/eventually.ts';
import { Calls } from '../bed/calls.ts';
import { IstioMesh } from '../bed/istio-mesh.ts';
import type { StoredObject } from '../bed/kubernetes-client.ts';

const HTTP = 8080;
/** Of the clock, which must not count here. */
const PROMOTION_DELAY_SECONDS = 1;
/** The probe could not tell this often, 5 s apart. */
const UNTOLD = 3;

let mesh: IstioMesh;
let calls: Calls;
let client: Pod;
let web: ServiceHandle;

before(async () => {
  const controllerFlags = { 'promotion-delay': String(PROMOTION_DELAY_SECONDS) };
  mesh = await IstioMesh.start({ probe: true, controllerFlags });
  const server = await mesh.bed.pod('server-0', { interception: 'none', namespace: 'back' });
  calls = await Calls.serve(mesh.bed, server, { http1: [HTTP] });
  web = await mesh.service({ name: 'web', namespace: 'back', ports: { http: HTTP }, pods: [server] });
  await mesh.enforce('shop');
  client = await mesh.lazyClient('client');
  await mesh.narrowed(client);
});
after(() => mesh.destroy());

interface Sidecar extends StoredObject {
  readonly spec: { readonly egress: readonly { readonly port?: object; readonly hosts: readonly string[] }[] };
}

async function warmHosts(): Promise<string> {
  const [sidecar] = (await mesh.sidecars()) as readonly Sidecar[];
  const warm = sidecar?.spec.egress.filter(({ port }) => port) ?? [];
  return warm.flatMap(({ hosts }) => hosts).join();
}

test('A phase that istiod has not pushed is waited for, however long, and no request fails', async () => {
  await mesh.bed.istiod.stop('SIGKILL');
  const load = await calls.app(client, 'load');
  const targets = [web];
  await load.call('startLoad', 'load', { targets, requestsPerSecond: 100 });
  await eventually('the first phase is written', async () => (await warmHosts()) === web.key);
  await eventually(
    'the probe could not tell, again and again',
    async () => (await mesh.controller.metric('lazyscope_probes_total', 'result="failed"')) >= UNTOLD,
    { timeoutMs: 40_000 },
  );
  assert.equal(await warmHosts(), web.key, 'the second phase was written without istiod');
  const { problems } = await mesh.controller.api.status();
  assert.ok(problems.some(({ subject, reason }) => subject === 'probe' && reason.includes('in the middle of a phase')));
  await mesh.bed.istiod.start();
  await eventually(
    'calls go direct',
    async () => (await load.call('countLoad', 'load')).newest['web'] === client.address,
    {
      timeoutMs: 60_000,
    },
  );
  const { failures, total } = await load.call('stopLoad', 'load');
  assert.deepEqual(failures, []);
  assert.ok(total > 500, `only ${total} requests`);
});
