/** `make demo`: the whole loop on real Envoys, told as it happens, with the figures at the end. */
import { execFileSync } from 'node:child_process';
import { renderTable } from '../controller/cli/table.ts';
import { lazyscope } from '../test/support/bed/program.ts';
import { selfSigned } from './certificate.ts';
import { openDirectShop } from './direct-mesh.ts';
import {
  type DemoFigures,
  edgeFigures,
  envoyVersion,
  timeFigures,
  type WorkloadFigures,
  workloadFigures,
  writeFigures,
} from './figures.ts';
import { openIstioShop } from './istio-mesh.ts';
import { readSettings } from './settings.ts';
import type { Shopkeeper, ShopMesh } from './shop-mesh.ts';
import { Watcher } from './watcher.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const MEBIBYTE = 1 << 20;

async function main(): Promise<void> {
  const settings = readSettings(process.env);
  const openShop = { direct: openDirectShop, istio: openIstioShop }[settings.mode];
  const shop = await openShop({ fillers: settings.fillers, keys: selfSigned('payments.shop'), say });
  try {
    const figures = await tellStory(shop);
    say(table(figures.workloads));
    say(client(shop, 'graph'));
    const { total, failed } = figures.requests;
    const { p50, p99 } = figures.firstRequestToDirectMs;
    say(`${total} requests, ${failed} failed. First request to direct path: p50 ${p50} ms, p99 ${p99} ms.`);
    if (settings.jsonFile !== undefined) writeFigures(settings.jsonFile, figures);
    if (settings.keep) await keepOpen(shop);
    if (failed > 0) process.exitCode = 1;
  } finally {
    shop.destroy();
  }
}

/** Half of the shop opens; the controller is killed and the other half opens without it; it comes back. */
async function tellStory(shop: ShopMesh): Promise<DemoFigures> {
  const watcher = new Watcher(shop, say);
  watcher.start();
  const middle = Math.ceil(shop.shopkeepers.length / 2);
  const [first, second] = [shop.shopkeepers.slice(0, middle), shop.shopkeepers.slice(middle)];
  say('\nThe first workloads begin to call, one after the other.');
  for (const shopkeeper of first) {
    await open([shopkeeper]);
    await watcher.allDirect([shopkeeper]);
  }
  const afterRestart = await killInTheMiddle(shop, watcher, second);
  await watcher.allDirect(second);
  await shop.atRest();
  const workloads = await workloadFigures(shop);
  const edges = edgeFigures(await shop.controller.api.edges());
  watcher.stop();
  const requests = await close(shop.shopkeepers);
  return {
    mode: shop.mode,
    envoy: await envoyVersion(shop.eager),
    services: shop.services,
    workloads,
    edges,
    requests,
    firstRequestToDirectMs: timeFigures(watcher.millisecondsToDirect),
    afterRestart,
  };
}

async function open(shopkeepers: readonly Shopkeeper[]): Promise<void> {
  for (const { application, calls, witness } of shopkeepers) {
    await application.call('startCalling', [...calls], witness);
  }
}

async function killInTheMiddle(
  shop: ShopMesh,
  watcher: Watcher,
  opening: readonly Shopkeeper[],
): Promise<DemoFigures['afterRestart']> {
  const edgesBefore = (await shop.controller.api.edges()).length;
  watcher.controllerIs('down');
  await shop.controller.kill();
  say(
    `\nThe controller is killed with -9, knowing ${edgesBefore} edges. The other workloads begin to call without it.`,
  );
  await open(opening);
  await shop.controller.start();
  const edgesAfter = (await shop.controller.api.edges()).length;
  say(`\nThe controller is back, and knows ${edgesAfter} edges: nothing was un-learned.`);
  if (shop.afterKill !== undefined) say(shop.afterKill);
  watcher.controllerIs('up');
  return { edgesBefore, edgesAfter };
}

async function close(shopkeepers: readonly Shopkeeper[]): Promise<DemoFigures['requests']> {
  const counts = await Promise.all(shopkeepers.map(({ application }) => application.call('stopCalling')));
  return {
    total: counts.reduce((sum, { total }) => sum + total, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function table(workloads: readonly WorkloadFigures[]): string {
  const head = ['WORKLOAD', 'DEPENDENCIES', 'CLUSTERS lazy / eager', 'ENVOY MEMORY lazy / eager', 'SAVED'];
  const rows = workloads.map(({ name, dependencies, clusters, memoryAllocated: memory }) => [
    name,
    String(dependencies),
    `${clusters.lazy} / ${clusters.eager}`,
    `${mebibytes(memory.lazy)} / ${mebibytes(memory.eager)} MiB`,
    `${mebibytes(memory.eager - memory.lazy)} MiB (${Math.round((1 - memory.lazy / memory.eager) * 100)} %)`,
  ]);
  return `\n${renderTable(head, rows)}`;
}

function mebibytes(bytes: number): string {
  return (bytes / MEBIBYTE).toFixed(1);
}

/** A client command's output, as a user would get it. */
function client({ controller }: ShopMesh, command: string): string {
  const [file = '', ...args] = lazyscope(command, { server: controller.url });
  return execFileSync(file, args, { encoding: 'utf8' });
}

/** The bed's signal handler cleans up. */
async function keepOpen({ controller, shopkeepers, looks }: ShopMesh): Promise<never> {
  const [first] = shopkeepers;
  say('\nEverything keeps running until Ctrl-C. To look at it, from another terminal in this folder:');
  say(`  export LAZYSCOPE_SERVER=${controller.url}`);
  say('  export PATH=$PWD/.tools/node/bin:$PATH');
  say('  node bin/lazyscope.ts status');
  say('  node bin/lazyscope.ts explain deploy/frontend.shop --to catalog.shop');
  say(`  curl ${controller.url}/metrics`);
  say(`  ip netns exec ${first?.pod.netns} ss -tn`);
  say(`  curl --unix-socket ${first?.admin.socketPath} http://admin/clusters`);
  for (const look of looks) say(`  ${look}`);
  return new Promise(() => setInterval(() => undefined, 1 << 30));
}

await main();
