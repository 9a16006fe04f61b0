/**
 * G8: what the controller takes of memory. Its heap beside that of `@kubernetes/client-node`'s cache of the same
 * Services, EndpointSlices and Pods, at five sizes of the mesh, so that what a program takes by itself counts for neither;
 * and its resident memory with everything learned, beside istiod's with the same objects.
 */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { kubeconfig } from '../mesh/bed/api-server.ts';
import { INSPECTOR_PORT, startInspectable } from './large-mesh/controller.ts';
import { type LargeMesh, WORKLOADS } from './large-mesh/large-mesh.ts';
import { largeMesh, learnedMesh } from './large-mesh/learned-mesh.ts';
import { Inspector, inspectable, residentMemory } from './method/inspector.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, median, slope } from './method/statistics.ts';
import { versions } from './method/versions.ts';
import type { ListWatchReport } from './programs/list-watch.ts';

const SIZES = 5;
const TARGET_HEAP = 1 / 20;
const TARGET_BYTES = 350 * 1024 * 1024;
const TARGET_ISTIOD = 1 / 3;
const PEER_PORT = INSPECTOR_PORT + 1;
const READINGS = 10;
const PEER = fileURLToPath(new URL('./programs/list-watch.ts', import.meta.url));

/** Bytes at one size of the mesh. */
interface Sample {
  readonly endpoints: number;
  readonly ours: number;
  readonly theirs: number;
}

export const footprint: Bench = async (say) => {
  const large = await largeMesh(say);
  const samples: Sample[] = [];
  for (let size = 1; size <= SIZES; size += 1) {
    await large.grow((WORKLOADS * size) / SIZES);
    const sample = { endpoints: large.endpoints, ours: await ourHeap(large), theirs: (await runListWatch(large)).heap };
    samples.push(sample);
    say(`  ${sample.endpoints} endpoints: ${megabytes(sample.ours)}, ListWatch ${megabytes(sample.theirs)}`);
  }
  return [heapResult(samples), ...(await residentResults(say))];
};

async function ourHeap({ mesh: { controller }, services }: LargeMesh): Promise<number> {
  await startInspectable(controller);
  const status = await controller.api.status();
  if (status.services < services) throw new Error(`The controller knows ${status.services} of ${services} services`);
  const inspector = await Inspector.connect(INSPECTOR_PORT);
  const heap = await inspector.heapUsed();
  inspector.close();
  await controller.stop();
  return heap;
}

/** Runs the peer until it knows all. @throws Error if it knows something else than it should */
export async function runListWatch({ mesh, services, endpoints, pods }: LargeMesh) {
  const { bed, client } = mesh.bed;
  const file = join(bed.folder('list-watch'), 'kubeconfig');
  writeFileSync(file, kubeconfig(client.access));
  const command = [process.execPath, PEER, file];
  const environment = { NODE_OPTIONS: inspectable(PEER_PORT) };
  const peer = bed.start({ name: 'list-watch', command, environment, channel: true });
  const [report] = (await once(peer.child, 'message')) as [ListWatchReport];
  if (report.services < services || report.endpoints < endpoints || report.pods < pods) {
    throw new Error(`ListWatch knows ${JSON.stringify(report)}`);
  }
  const inspector = await Inspector.connect(PEER_PORT);
  const heap = await inspector.heapUsed();
  inspector.close();
  await peer.stop('SIGKILL');
  return { heap, syncedMs: report.syncedMs };
}

function heapResult(samples: readonly Sample[]): BenchResult {
  const perEndpoint = (some: readonly Sample[], side: 'ours' | 'theirs'): number =>
    slope(some.map((sample) => [sample.endpoints, sample[side]] as const));
  const ratio = (some: readonly Sample[]): number => perEndpoint(some, 'ours') / perEndpoint(some, 'theirs');
  return atMost({
    goal: 'G8',
    contender: 'controller, Istio mode',
    peer: 'client-node ListWatch',
    unit: 'bytes of heap for one endpoint more, with its share of services and pods',
    ratio: ratio(samples),
    ci95: bootstrap95(samples, ratio),
    target: TARGET_HEAP,
    versions: versions(),
    details: { ours: perEndpoint(samples, 'ours'), theirs: perEndpoint(samples, 'theirs'), samples },
  });
}

async function residentResults(say: (line: string) => void): Promise<readonly BenchResult[]> {
  const { large, entries } = await learnedMesh(say);
  const { controller, bed } = large.mesh;
  const readings: { readonly ours: number; readonly istiod: number }[] = [];
  for (let reading = 0; reading < READINGS; reading += 1) {
    readings.push({
      ours: residentMemory(controller.process.pid).now,
      istiod: residentMemory(bed.istiod.process.pid).now,
    });
    await delay(1_000);
  }
  const { peak } = residentMemory(controller.process.pid);
  const ours = median(readings.map((reading) => reading.ours));
  say(`  with everything learned: ${megabytes(ours)} resident, at most ${megabytes(peak)}`);
  const common = {
    contender: 'controller with everything learned',
    versions: versions(),
    details: { entries, peak, readings },
  };
  const toIstiod = (some: typeof readings): number => median(some.map((one) => one.ours / one.istiod));
  const toTarget = (some: typeof readings): number => median(some.map((one) => one.ours)) / TARGET_BYTES;
  return [
    atMost({
      ...common,
      goal: 'G8b',
      peer: 'the goal of 350 MiB',
      unit: 'resident memory',
      ratio: toTarget(readings),
      ci95: bootstrap95(readings, (some) => toTarget([...some])),
      target: 1,
    }),
    atMost({
      ...common,
      goal: 'G8c',
      peer: 'istiod with the same objects',
      unit: 'resident memory',
      ratio: toIstiod(readings),
      ci95: bootstrap95(readings, (some) => toIstiod([...some])),
      target: TARGET_ISTIOD,
    }),
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
