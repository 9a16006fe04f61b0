/** The shop on a test bed: a pod with a real Envoy for each workload, one more that gets everything, and the filler. */
import { Bed } from '../test/support/bed/bed.ts';
import type { Controller } from '../test/support/bed/controller.ts';
import type { Egress } from '../test/support/bed/egress.ts';
import { KubernetesFolder } from '../test/support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../test/support/bed/kubernetes-objects.ts';
import type { Pod } from '../test/support/bed/pod.ts';
import type { RemoteModule } from '../test/support/bed/remote-module.ts';
import type { Call } from './application.ts';
import { filler, PORT_PREFIX, SHOP, type ShopWorkload } from './shop.ts';

const APPLICATION = new URL('./application.ts', import.meta.url);

type Application = RemoteModule<typeof import('./application.ts')>;

/** One workload, running. */
export interface Shopkeeper {
  readonly workload: ShopWorkload;
  readonly pod: Pod;
  readonly application: Application;
}

export interface ShopMesh {
  readonly bed: Bed;
  readonly controller: Controller;
  readonly egress: Egress;
  readonly shopkeepers: readonly Shopkeeper[];
  /** Has the annotation `lazyscope.io/mode: Off`: the baseline. */
  readonly eager: Pod;
  readonly services: number;
}

/** @param say tells what is being done */
export async function openShop(
  fillers: number,
  keys: { key: string; cert: string },
  say: (line: string) => void,
): Promise<ShopMesh> {
  const bed = await Bed.create();
  const mesh = new KubernetesFolder(bed.folder('mesh'));
  const egress = bed.egress();
  const controller = bed.controller(mesh, { egress });
  const pods = SHOP.map((workload) => ({ workload, pod: bed.pod(`${workload.name}-0`) }));
  const eager = bed.pod('eager-0', { mode: 'Off' });
  mesh.write(
    'pods.yaml',
    [...pods.map(({ pod }) => pod), eager, egress.pod].map((pod) => podObject(pod)),
  );
  mesh.write(
    'shop.yaml',
    pods.flatMap(({ workload, pod }) => shopService(bed, workload, pod)),
  );
  mesh.write('filler.yaml', fillerServices(bed, fillers));
  await Promise.all([egress.start(), controller.start()]);
  await egress.ready();
  say(`Controller and egress run; ${bed.network.hostAddress} is this machine on the mesh's network.`);
  const shopkeepers: Shopkeeper[] = [];
  for (const { workload, pod } of pods) {
    await pod.startEnvoy(await controller.bootstrap(pod));
    const application: Application = await pod.load(APPLICATION);
    await application.call('serve', [...workload.serves], keys);
    shopkeepers.push({ workload, pod, application });
  }
  await eager.startEnvoy(await controller.bootstrap(eager));
  const services = pods.filter(({ workload }) => workload.serves.length > 0).length + fillers;
  return { bed, controller, egress, shopkeepers, eager, services };
}

const clusterIPs = new Map<string, string>();

function shopService(bed: Bed, { name, serves }: ShopWorkload, pod: Pod) {
  if (serves.length === 0) return [];
  const clusterIP = bed.clusterIP();
  clusterIPs.set(name, clusterIP);
  const ports = Object.fromEntries(serves.map(({ protocol, port }) => [`${PORT_PREFIX[protocol]}-${name}`, port]));
  return serviceObjects({ name, clusterIP, ports, endpoints: [pod.address] });
}

/** Three endpoints each, as in a small mesh; nobody calls them, so nobody needs to be there. */
function fillerServices(bed: Bed, count: number) {
  const endpoints = [250, 251, 252].map((last) => bed.network.address((120 << 8) + last));
  return filler(count).flatMap(({ name, port, portName }) =>
    serviceObjects({ name, namespace: 'filler', clusterIP: bed.clusterIP(), ports: { [portName]: port }, endpoints }),
  );
}

/** What a workload calls, with the addresses that DNS would give. */
export function callsOf({ calls }: ShopWorkload): Call[] {
  return calls.map((call) => {
    const [name = '', port] = call.split(':');
    const protocol = SHOP.find((workload) => workload.name === name)?.serves[0]?.protocol;
    const address = clusterIPs.get(name);
    if (protocol === undefined || address === undefined) throw new Error(`The shop has no service ${name}`);
    return { name, protocol, address, port: Number(port) };
  });
}
