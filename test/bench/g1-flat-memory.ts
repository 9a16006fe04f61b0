/**
 * G1, flat memory: what unrelated services cost a lazy sidecar, beside the same Envoy that gets everything. Both have
 * listeners for the same 200 HTTP ports at every size, so that the slope is that of services alone.
 */
import type { EnvoyAdmin } from '../support/bed/envoy-admin.ts';
import { eventually } from '../support/eventually.ts';
import { type GrowingMesh, HTTP_PORTS } from './growing-mesh/growing-mesh.ts';
import { atMost, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, median, slope } from './method/statistics.ts';
import { versions } from './method/versions.ts';

const SIZES = [0, 500, 1_000, 2_500, 5_000] as const;
const ROUNDS = 3;

interface Sample {
  readonly services: number;
  readonly lazy: number;
  readonly eager: number;
}

/** @param open makes the mesh, of any mode */
export function flatMemory(open: () => Promise<GrowingMesh>): Bench {
  return async (say) => {
    const mesh = await open();
    try {
      const samples: Sample[] = [];
      for (const services of SIZES) {
        await mesh.grow(services);
        for (let round = 0; round < ROUNDS; round += 1) samples.push(await measure(mesh, services, say));
      }
      return results(mesh.contender, samples);
    } finally {
      mesh.destroy();
    }
  };
}

async function measure(mesh: GrowingMesh, services: number, say: (line: string) => void): Promise<Sample> {
  const { lazy, eager } = await mesh.startSidecars();
  const sample = { services, lazy: await settledMemory(lazy), eager: await settledMemory(eager) };
  await mesh.stopSidecars();
  say(`  ${services} services: lazy ${megabytes(sample.lazy)}, eager ${megabytes(sample.eager)}`);
  return sample;
}

/** Two equal readings, to the tenth of a megabyte. */
async function settledMemory(admin: EnvoyAdmin): Promise<number> {
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

function results(contender: string, samples: readonly Sample[]): readonly BenchResult[] {
  const slopeRatio = (some: readonly Sample[]): number =>
    slope(some.map(({ services, lazy }) => [services, lazy])) /
    slope(some.map(({ services, eager }) => [services, eager]));
  const at = (services: number): Sample[] => samples.filter((sample) => sample.services === services);
  const largest = SIZES[SIZES.length - 1] ?? 0;
  const growth = at(largest).map((sample, index) => sample.lazy / (at(0)[index]?.lazy ?? Number.NaN));
  return [
    atMost({
      goal: 'G1',
      contender,
      peer: 'the same Envoy with every service',
      versions: versions(),
      unit: 'bytes allocated per unrelated service',
      ratio: slopeRatio(samples),
      ci95: bootstrap95(samples, slopeRatio),
      target: 1 / 100,
      details: { samples, httpPorts: HTTP_PORTS },
    }),
    atMost({
      goal: 'G1 growth',
      contender,
      peer: 'itself without unrelated services, on the same ports',
      versions: versions(),
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
