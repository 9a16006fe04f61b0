/** The shop in direct mode: sidecars are plain Envoys, which get everything of the controller. */
import { Bed } from '../test/support/bed/bed.ts';
import type { Controller } from '../test/support/bed/controller.ts';
import { KubernetesFolder } from '../test/support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../test/support/bed/kubernetes-objects.ts';
import type { Pod } from '../test/support/bed/pod.ts';
import { eventually } from '../test/support/eventually.ts';
import { fillerEndpoints, fillerServices, SHOP, servicePorts } from './shop.ts';
import { employ, type Shopkeeper, type ShopMesh, type ShopPlan, shopServices } from './shop-mesh.ts';

export async function openDirectShop({ fillers, keys, say }: ShopPlan): Promise<ShopMesh> {
  say(`A shop among ${fillers} services that it does not use: each workload in a network of its own,`);
  say('its connections redirected to a real Envoy, which holds nothing but the way to the egress.\n');
  const bed = await Bed.create();
  const mesh = new KubernetesFolder(bed.folder('mesh'));
  const egress = bed.egress();
  const controller = bed.controller(mesh, { egress });
  const pods = new Map(SHOP.map(({ name }) => [name, bed.pod(`${name}-0`)]));
  const eager = bed.pod('eager-0', { mode: 'Off' });
  mesh.write(
    'pods.yaml',
    [...pods.values(), eager, egress.pod].map((pod) => podObject(pod)),
  );
  const addresses = writeServices(bed, mesh, pods);
  mesh.write('filler.yaml', fillerObjects(bed, fillers));
  await Promise.all([egress.start(), controller.start()]);
  await egress.ready();
  say(`Controller and egress run; ${bed.network.hostAddress} is this machine on the mesh's network.`);
  const shopkeepers: Shopkeeper[] = [];
  for (const workload of SHOP) {
    const pod = pods.get(workload.name);
    if (!pod) continue;
    const { admin } = await pod.startEnvoy(await controller.bootstrap(pod));
    const witness = { kind: 'Server', own: pod.address, egress: egress.pod.address } as const;
    shopkeepers.push(await employ({ workload, pod, admin, witness, addresses, keys }));
  }
  const { admin } = await eager.startEnvoy(await controller.bootstrap(eager));
  return {
    mode: 'direct',
    controller,
    shopkeepers,
    eager: admin,
    services: shopServices() + fillers,
    looks: [],
    atRest: () => atRest(controller),
    destroy: () => bed.destroy(),
  };
}

function writeServices(bed: Bed, mesh: KubernetesFolder, pods: ReadonlyMap<string, Pod>): ReadonlyMap<string, string> {
  const serving = SHOP.filter(({ serves }) => serves.length > 0);
  const addresses = new Map(serving.map(({ name }) => [name, bed.clusterIP()]));
  const objects = serving.flatMap((workload) => {
    const { name } = workload;
    const endpoints = [pods.get(name)?.address ?? ''];
    return serviceObjects({ name, clusterIP: addresses.get(name) ?? '', ports: servicePorts(workload), endpoints });
  });
  mesh.write('shop.yaml', objects);
  return addresses;
}

function fillerObjects(bed: Bed, count: number) {
  const endpoints = fillerEndpoints(bed.network);
  return fillerServices(count).flatMap((service) =>
    serviceObjects({ ...service, clusterIP: bed.clusterIP(), endpoints }),
  );
}

async function atRest({ api }: Controller): Promise<void> {
  await eventually('everything learned is confirmed by the sidecars', async () =>
    (await api.edges()).every(({ state }) => state === 'active' || state === 'relayed'),
  );
}
