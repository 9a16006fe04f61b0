/**
 * G4, first request to direct path: a client hammers 200 services one after the other, each for the first time, until
 * the server sees it come directly. The time starts before the first byte leaves the client, so it is rather too long.
 */
import { Bed } from '../support/bed/bed.ts';
import { KubernetesFolder } from '../support/bed/kubernetes-folder.ts';
import { podObject, serviceObjects } from '../support/bed/kubernetes-objects.ts';
import { atMost, type Bench } from './method/result.ts';
import { bootstrap95, median, percentile } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const EDGES = 200;
const PORT = 8_080;
const TARGET_MS = 30;

const PROGRAM = new URL('./programs/who-calls.ts', import.meta.url);
type Program = typeof import('./programs/who-calls.ts');

export const firstRequestToDirect: Bench = async (say) => {
  const bed = await Bed.create();
  try {
    const mesh = new KubernetesFolder(bed.folder('mesh'));
    const egress = bed.egress();
    const client = bed.pod('client-0');
    const server = bed.pod('server-0', { interception: 'none' });
    const clusterIPs = Array.from({ length: EDGES }, () => bed.clusterIP());
    mesh.apply(podObject(client), podObject(server), podObject(egress.pod));
    mesh.write(
      'services.yaml',
      clusterIPs.flatMap((clusterIP, index) =>
        serviceObjects({ name: `service-${index}`, clusterIP, ports: { http: PORT }, endpoints: [server.address] }),
      ),
    );
    const controller = bed.controller(mesh, { egress });
    await Promise.all([egress.start(), controller.start()]);
    await egress.ready();
    await client.startEnvoy(await controller.bootstrap(client));
    await (await server.load<Program>(PROGRAM)).call('serve', PORT);
    const hammer = await client.load<Program>(PROGRAM);
    const times: number[] = [];
    let failed = 0;
    for (const [index, address] of clusterIPs.entries()) {
      const outcome = await hammer.call('untilDirect', {
        address,
        port: PORT,
        host: `service-${index}`,
        own: client.address,
      });
      times.push(outcome.ms);
      failed += outcome.failed;
    }
    say(
      `  ${EDGES} edges: p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms, ${failed} failed requests`,
    );
    if (failed > 0)
      throw new Error(`${failed} requests failed on the way to the direct path: a fast wrong answer is none`);
    return [
      atMost({
        goal: 'G4',
        contender: 'direct mode',
        peer: `the goal of ${TARGET_MS} ms`,
        unit: 'median ms from the first request to the first direct one',
        ratio: median(times) / TARGET_MS,
        ci95: bootstrap95(times, (some) => median(some) / TARGET_MS),
        target: 1,
        versions: versions(),
        details: { edges: EDGES, p50: percentile(times, 0.5), p99: percentile(times, 0.99), failed },
      }),
    ];
  } finally {
    bed.destroy();
  }
};
