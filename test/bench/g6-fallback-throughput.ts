/**
 * G6, fallback throughput: what our egress carries for a CPU second, beside other proxies: keep-alive HTTP/1.1 with
 * small and large bodies, and TCP in bulk. Same load, same origin, same PROXY header for all.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { EnvoyAdmin } from '../support/bed/envoy-admin.ts';
import { eventually } from '../support/eventually.ts';
import { cpuSeconds } from './method/cpu-time.ts';
import { type Block, type Pair, pairedBlocks, rate, rateRatio } from './method/paired-blocks.ts';
import { atLeast, type Bench, type BenchResult } from './method/result.ts';
import { bootstrap95, type Interval, median } from './method/statistics.ts';
import { versions } from './method/versions.ts';
import { proxyVersions } from './relay/proxies/versions.ts';
import { type Demand, RelayStand, type RunningProxy } from './relay/relay-stand.ts';

const DEMANDS: Readonly<Record<string, Demand>> = {
  '100 B': { kind: 'http', connections: 64, bodyBytes: 100 },
  '16 KiB': { kind: 'http', connections: 64, bodyBytes: 16_384 },
  bulk: { kind: 'bulk', connections: 4, bodyBytes: 0 },
};

const WARM_UP_MS = 500;
const BLOCK_MS = 3_000;
const PAIRS = 6;
/** Where there is no goal. */
const PAIRS_WITHOUT_GOAL = 2;
/** A load that is busier than this holds the proxy up. */
const BUSIEST_LOAD = 0.9;
const MAX_TRIES = 5;
const MAX_ERROR_SHARE = 0.01;

/** A peer, and how many times as much we are to carry; with no such goal it is measured all the same. */
interface Opponent {
  readonly peer: RunningProxy;
  readonly target?: number;
}

interface Outcome {
  readonly peer: string;
  readonly ratio: number;
  readonly ci95: Interval;
  readonly pairs: readonly Pair[];
}

type Say = (line: string) => void;

export const fallbackThroughput: Bench = async (say) => {
  const stand = await RelayStand.open();
  try {
    const envoy = await stand.envoy();
    const http: readonly Opponent[] = [
      { peer: await stand.nginxHttp() },
      { peer: envoy, target: 3 },
      { peer: await stand.httpProxy(), target: 3 },
    ];
    const tcp: readonly Opponent[] = [
      { peer: await stand.nginxStream() },
      { peer: await stand.haproxy(), target: 0.5 },
    ];
    const results: BenchResult[] = [];
    for (const [name, demand] of Object.entries(DEMANDS)) {
      const opponents = demand.kind === 'http' ? [...http, ...tcp] : tcp;
      results.push(...(await compete(stand, { name, demand, opponents }, say)));
    }
    await proveReports(stand, envoy.admin);
    return results;
  } finally {
    stand.destroy();
  }
};

interface Contest {
  readonly name: string;
  readonly demand: Demand;
  readonly opponents: readonly Opponent[];
}

async function compete(stand: RelayStand, { name, demand, opponents }: Contest, say: Say): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  const withoutGoal: Outcome[] = [];
  for (const { peer, target } of opponents) {
    const outcome = await measure(stand, { peer, demand, pairs: target === undefined ? PAIRS_WITHOUT_GOAL : PAIRS });
    say(`  ${name}, ${peer.name}: ${described(outcome, demand)}`);
    if (target === undefined) {
      withoutGoal.push(outcome);
      continue;
    }
    results.push(
      atLeast({
        goal: `G6 ${name}`,
        contender: 'our egress, reports on',
        peer: peer.name,
        unit: demand.kind === 'http' ? 'requests per CPU second' : 'bytes per CPU second',
        ratio: outcome.ratio,
        ci95: outcome.ci95,
        target,
        versions: { ...versions(), ...proxyVersions() },
        details: { demand, pairs: outcome.pairs, withoutGoal },
      }),
    );
  }
  return results;
}

interface Match {
  readonly peer: RunningProxy;
  readonly demand: Demand;
  readonly pairs: number;
}

async function measure(stand: RelayStand, { peer, demand, pairs }: Match): Promise<Outcome> {
  const measured = await pairedBlocks(
    () => block(stand, stand.egress, demand),
    () => block(stand, peer, demand),
    pairs,
  );
  const ratioOf = (some: readonly Pair[]): number => median(some.map(rateRatio));
  return { peer: peer.name, ratio: ratioOf(measured), ci95: bootstrap95(measured, ratioOf), pairs: measured };
}

async function block(stand: RelayStand, proxy: RunningProxy, demand: Demand): Promise<Block> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const measured = await tryBlock(stand, proxy, demand);
    if (measured) return measured;
  }
  throw new Error(`The load was busier than ${BUSIEST_LOAD * 100} % in ${MAX_TRIES} blocks with ${proxy.name}`);
}

/** @returns nothing where the load, not the proxy, was the limit */
async function tryBlock(stand: RelayStand, proxy: RunningProxy, demand: Demand): Promise<Block | undefined> {
  const load = stand.load(proxy, demand);
  try {
    await eventually(`${proxy.name} answers`, async () => (await load.counts()).units > 0);
    await delay(WARM_UP_MS);
    const cpuBefore = cpuSeconds(proxy.pid);
    const [began, before] = [performance.now(), await load.counts()];
    await delay(BLOCK_MS);
    const cpuAfter = cpuSeconds(proxy.pid);
    const [ended, after] = [performance.now(), await load.counts()];
    const units = after.units - before.units;
    if (after.errors > MAX_ERROR_SHARE * units) {
      throw new Error(`${proxy.name}: ${after.errors} of ${units} failed, first: ${after.error}`);
    }
    const busy = (after.cpuMicroseconds - before.cpuMicroseconds) / 1_000 / (ended - began);
    return busy > BUSIEST_LOAD ? undefined : { units, cpuSeconds: cpuAfter - cpuBefore };
  } finally {
    await load.stop();
  }
}

/** That both sides have reported what they carried. */
async function proveReports(stand: RelayStand, envoy: EnvoyAdmin): Promise<void> {
  await eventually('the controller has learned from our egress', async () => (await stand.edges()).length > 0);
  const written = await envoy.stat('access_logs.grpc_access_log.logs_written');
  const dropped = await envoy.stat('access_logs.grpc_access_log.logs_dropped');
  if (dropped > MAX_ERROR_SHARE * written || written === 0) {
    throw new Error(
      `Envoy has written ${written} logs and dropped ${dropped}: it was measured without what it is to do`,
    );
  }
}

function described({ ratio, ci95, pairs }: Outcome, demand: Demand): string {
  const [ours, theirs] = [median(pairs.map((pair) => rate(pair.ours))), median(pairs.map((pair) => rate(pair.theirs)))];
  const amount = (value: number): string =>
    demand.kind === 'http' ? `${(value / 1e3).toFixed(1)}k requests` : `${(value / 1e6).toFixed(0)} MB`;
  const interval = ci95.map((bound) => bound.toFixed(2)).join(' to ');
  return `${amount(ours)} against ${amount(theirs)} per CPU second: ${ratio.toFixed(2)} (${interval})`;
}
