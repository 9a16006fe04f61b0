/** A store that was cut off, under a controller to which sidecars come back: they keep what they have learned. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Logger, pino } from 'pino';
import { startController } from '../../../controller/main.ts';
import { AdsClient } from '../../support/ads/ads-client.ts';
import { ApiClient, clusterOf } from '../../support/bed/api-client.ts';
import { podObject, serviceObjects } from '../../support/bed/kubernetes-objects.ts';
import { eventually } from '../../support/eventually.ts';
import { inParallel } from '../../support/in-parallel.ts';
import {
  closedStore,
  copyStore,
  frameSizes,
  halfCheckpointedStore,
  killedStore,
  type LeftStore,
  pageSizes,
  type Suffix,
} from './damaged-copies.ts';

const CART = clusterOf('cart', 80);
/** An old edge to `cart`, the newest, which only the end of the log tells, and none. */
const PODS = ['client-0', 'client-59', 'stranger'].map((deployment, index) => ({
  name: `${deployment}-pod`,
  namespace: 'shop',
  deployment,
  address: `10.0.0.${index + 1}`,
  mode: undefined,
}));

const [, , STRANGER] = PODS;
const LEARNED = PODS.slice(0, 2);

let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'lazyscope-truncated-'));
  const cart = serviceObjects({ name: 'cart', clusterIP: '10.96.0.1', ports: { http: 80 }, endpoints: ['10.0.1.1'] });
  const items = [...cart, ...PODS.map((pod) => podObject(pod))];
  writeFileSync(join(folder, 'mesh.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
});
after(() => rmSync(folder, { recursive: true }));

interface LogLine {
  readonly msg: string;
  readonly [field: string]: unknown;
}

interface RunningController {
  readonly api: ApiClient;
  readonly grpcPort: number;
  readonly log: readonly LogLine[];
}

/** A controller on this store, as the program starts it, while `use` takes. */
async function withController(storePath: string, use: (controller: RunningController) => Promise<void>): Promise<void> {
  const log: LogLine[] = [];
  const logger: Logger = pino({ level: 'info' }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const anyPort = { address: '127.0.0.1', port: 0 };
  const config = {
    ...({ source: 'files', mode: 'direct', store: 'sqlite', path: folder, storePath } as const),
    ...{ grpcListen: anyPort, httpListen: anyPort, advertise: anyPort, egress: [{ address: '10.0.0.9', port: 15080 }] },
    ...{ namespace: 'lazyscope', istioNamespace: 'istio-system', istiodServerName: 'istiod', identity: 'test' },
    ...{ promotionDelay: 12, allowPlaintextHop: false, allowRelayPastPolicies: false },
    ...{ clusterDomain: 'cluster.local', drainSeconds: 0, logLevel: 'info' },
  };
  const controller = await startController(config, 'test', logger);
  try {
    const { http, grpc } = log.find(({ msg }) => msg === 'Listening') as unknown as Listening;
    await use({ api: new ApiClient(`http://127.0.0.1:${http.port}`), grpcPort: grpc.port, log });
  } finally {
    await controller.stop();
  }
}

interface Listening {
  readonly http: { readonly port: number };
  readonly grpc: { readonly port: number };
}

/** A sidecar that comes back with `cart`. @returns clusters that are taken from it until it has all it should have */
async function clustersTaken({ api, grpcPort }: RunningController, pod: (typeof PODS)[number]): Promise<string[]> {
  const client = new AdsClient(grpcPort, `sidecar~${pod.address}~${pod.name}.shop~shop.svc.cluster.local`);
  try {
    client.request('CDS', { initial_resource_versions: { [CART]: 'of the last controller' } });
    client.request('EDS', { resource_names_subscribe: [CART] });
    client.request('LDS');
    client.request('RDS', { resource_names_subscribe: ['80'] });
    const said: string[] = [];
    const listening = (async () => {
      for (;;) said.push(await client.acknowledged());
    })();
    listening.catch(() => undefined);
    await eventually(`${pod.name} has all it should have`, async () => {
      const { proxies } = await api.workload(`shop/Deployment/${pod.deployment}`);
      return said.length > 0 && proxies.some(({ sync }) => sync === 'Synced');
    });
    return said.filter((line) => line.startsWith('Cluster ') && line.includes(`-${CART}`));
  } finally {
    client.close();
  }
}

/** Starts a controller on a copy that was cut off, to which its sidecars come back. @returns whether it was set aside */
async function assertKept(left: LeftStore, suffix: Suffix, size: number): Promise<boolean> {
  const path = copyStore(left.path, join(mkdtempSync(join(folder, 'copy-')), 'a.db'));
  truncateSync(path + suffix, size);
  const what = `${suffix} cut off at ${size}`;
  let isSetAside = false;
  await withController(path, async (controller) => {
    for (const pod of LEARNED) assert.deepEqual(await clustersTaken(controller, pod), [], `${what}: ${pod.name}`);
    const aside = readdirSync(dirname(path)).filter((name) => /\.corrupt-.*Z$/.test(name));
    const named = controller.log.filter(({ reason }) => aside.some((name) => String(reason).endsWith(name)));
    assert.equal(named.length, aside.length, `${what}: it is named in the log`);
    const edges = await controller.api.edges();
    const origins = LEARNED.map(
      ({ deployment }) => edges.find(({ from }) => from === `shop/Deployment/${deployment}`)?.origin,
    );
    const origin = aside.length > 0 ? 'Seed' : 'EgressLog';
    assert.deepEqual(origins, [origin, origin], what);
    isSetAside = aside.length > 0;
  });
  return isSetAside;
}

/** Cuts a store off everywhere, some at a time. @returns how often it was set aside */
async function assertKeptEverywhere(left: LeftStore, suffix: Suffix, sizes: readonly number[]): Promise<number> {
  let asides = 0;
  await inParallel(sizes, 8, async (size) => {
    if (await assertKept(left, suffix, size)) asides += 1;
  });
  return asides;
}

test('a whole store that is old takes away what it does not know', async (t) => {
  const { path } = await closedStore(t);
  await withController(path, async (controller) => {
    assert.ok(STRANGER);
    assert.deepEqual(await clustersTaken(controller, STRANGER), [`Cluster -${CART}`]);
  });
});

test('sidecars keep what they learned wherever a closed store is cut off', async (t) => {
  const left = await closedStore(t);
  const sizes = pageSizes(left);
  assert.equal(await assertKeptEverywhere(left, '', sizes), sizes.length);
});

for (const [name, leave] of Object.entries({ killed: killedStore, 'half checkpointed': halfCheckpointedStore })) {
  test(`sidecars keep what they learned wherever the log of a ${name} store is cut off`, async (t) => {
    const left = await leave(t);
    const sizes = frameSizes(left);
    assert.equal(await assertKeptEverywhere(left, '-wal', sizes), sizes.length);
  });

  test(`sidecars keep what they learned wherever the database of a ${name} store is cut off`, async (t) => {
    const left = await leave(t);
    assert.ok((await assertKeptEverywhere(left, '', pageSizes(left))) > 0);
  });
}
