/**
 * G1, flat memory: what unrelated services cost a lazy sidecar, beside the same Envoy that gets everything. Both have
 * listeners for the same 200 HTTP ports at every size, so that the slope is that of services alone.
 */
import { Bed } from '../support/bed/bed.ts';
import type { Controller } from '../support/bed/controller.ts';
import { KubernetesFolder } from '../support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../support/bed/kubernetes-objects.ts';
import type { Pod } from '../support/bed/pod.ts';
import { eventually } from '../support/eventually.ts';
import { atMost, type Bench } from './result.ts';
import { bootstrap95, median, slope } from './statistics.ts';
import { versions } from './versions.ts';

const SIZES = [0, 500, 1_000, 2_500, 5_000] as const;
const ROUNDS = 3;
const HTTP_PORTS = 200;
const FIRST_HTTP_PORT = 8_000;
/** HTTP nowhere. */
const TCP_PORT = 7_000;
const PATIENCE = { timeoutMs: 180_000, intervalMs: 200 };

interface Sample {
  readonly services: number;
  readonly lazy: number;
  readonly eager: number;
}

interface Setup {
  readonly bed: Bed;
  readonly mesh: KubernetesFolder;
  readonly controller: Controller;
  readonly lazy: Pod;
  readonly eager: Pod;
}

export const flatMemory: Bench = async (say) => {
  const setup = await setUp();
  try {
    const samples: Sample[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const services of SIZES) samples.push(await measure(setup, services, say));
    }
    return results(samples);
  } finally {
    setup.bed.destroy();
  }
};

async function setUp(): Promise<Setup> {
  const bed = await Bed.create();
  const mesh = new KubernetesFolder(bed.folder('mesh'));
  const egress = bed.egress();
  const lazy = bed.pod('lazy-0');
  const eager = bed.pod('eager-0', { mode: 'Off' });
  mesh.apply(podObject(lazy), podObject(eager));
  mesh.write('ports.yaml', portCarrier(bed));
  const controller = bed.controller(mesh, { egress });
  await controller.start();
  return { bed, mesh, controller, lazy, eager };
}

/** One service that declares all the HTTP ports, at every size. */
function portCarrier(bed: Bed) {
  const ports = Object.fromEntries(
    Array.from({ length: HTTP_PORTS }, (_, index) => [`http-${index}`, FIRST_HTTP_PORT + index]),
  );
  return serviceObjects({ name: 'ports', namespace: 'filler', clusterIP: bed.clusterIP(), ports, endpoints: [] });
}

function unrelated(bed: Bed, count: number) {
  const endpoints = [250, 251, 252].map((last) => bed.network.address((120 << 8) + last));
  return Array.from({ length: count }, (_, index) => {
    const ports = index % 5 === 4 ? { tcp: TCP_PORT } : { http: FIRST_HTTP_PORT + (index % HTTP_PORTS) };
    const clusterIP = bed.network.address((132 << 8) + index);
    return serviceObjects({ name: `filler-${index}`, namespace: 'filler', clusterIP, ports, endpoints });
  }).flat();
}

/** Both Envoys start afresh at every size: memory that was freed is not all given back. */
async function measure(
  { bed, mesh, controller, lazy, eager }: Setup,
  services: number,
  say: (line: string) => void,
): Promise<Sample> {
  mesh.write('filler.yaml', unrelated(bed, services));
  await eventually(
    'the controller has read the mesh',
    async () => (await controller.api.status()).services === services + 1,
    PATIENCE,
  );
  for (const pod of [lazy, eager]) await pod.startEnvoy(await controller.bootstrap(pod));
  await eventually('the eager Envoy holds everything', async () => isComplete(eager, services + HTTP_PORTS), PATIENCE);
  await eventually('the lazy Envoy has its listeners', async () => isComplete(lazy, 0), PATIENCE);
  const sample = { services, lazy: await settledMemory(lazy), eager: await settledMemory(eager) };
  say(`  ${services} services: lazy ${megabytes(sample.lazy)}, eager ${megabytes(sample.eager)}`);
  for (const pod of [lazy, eager]) await pod.envoy.stop();
  return sample;
}

/** The same number of listeners proves that both got their configuration; a lazy one holds no cluster. */
async function isComplete({ envoy: { admin } }: Pod, clusters: number): Promise<boolean> {
  const stats = await admin.stats(
    '^(cluster_manager\\.(active|warming)_clusters|listener_manager\\.total_listeners_active)$',
  );
  const BOOTSTRAP_CLUSTERS = 4;
  return (
    (stats.get('cluster_manager.active_clusters') ?? 0) === clusters + BOOTSTRAP_CLUSTERS &&
    stats.get('cluster_manager.warming_clusters') === 0 &&
    (stats.get('listener_manager.total_listeners_active') ?? 0) >= HTTP_PORTS
  );
}

/** Two equal readings, to the tenth of a megabyte. */
async function settledMemory({ envoy: { admin } }: Pod): Promise<number> {
  let before = Number.NaN;
  return eventually(
    'the memory is steady',
    async () => {
      const now = await admin.memoryAllocated();
      const isSteady = Math.abs(now - before) < 100_000;
      before = now;
      return isSteady ? now : undefined;
    },
    { timeoutMs: 60_000, intervalMs: 1_000 },
  );
}

function results(samples: readonly Sample[]) {
  const slopeRatio = (some: readonly Sample[]): number =>
    slope(some.map(({ services, lazy }) => [services, lazy])) /
    slope(some.map(({ services, eager }) => [services, eager]));
  const at = (services: number): Sample[] => samples.filter((sample) => sample.services === services);
  const largest = SIZES[SIZES.length - 1] ?? 0;
  const growth = at(largest).map((sample, index) => sample.lazy / (at(0)[index]?.lazy ?? Number.NaN));
  const common = {
    contender: 'lazy sidecar, direct mode',
    peer: 'the same Envoy with every service',
    versions: versions(),
  };
  return [
    atMost({
      goal: 'G1',
      ...common,
      unit: 'bytes allocated per unrelated service',
      ratio: slopeRatio(samples),
      ci95: bootstrap95(samples, slopeRatio),
      target: 1 / 100,
      details: { samples, httpPorts: HTTP_PORTS },
    }),
    atMost({
      goal: 'G1 growth',
      ...common,
      peer: 'itself without unrelated services, on the same ports',
      unit: `bytes allocated at ${largest} services`,
      ratio: median(growth),
      ci95: bootstrap95(growth, median),
      target: 1.05,
      details: { growth },
    }),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
