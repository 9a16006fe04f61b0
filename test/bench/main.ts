/** `make bench`: runs the benchmarks of the chosen goals, prints a table, writes the results as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderTable } from '../../controller/cli/table.ts';
import { flatMemory } from './g1-flat-memory.ts';
import { silentWire } from './g2-silent-wire.ts';
import { logIngest } from './g3-log-ingest.ts';
import { firstRequestToDirect } from './g4-first-request-to-direct.ts';
import { firstRequestToDirectOnIstio } from './g4-istio.ts';
import { pushFanOut } from './g5-push-fan-out.ts';
import { fallbackThroughput } from './g6-fallback-throughput.ts';
import { coldRequests } from './g7-cold-requests.ts';
import { footprint } from './g8-footprint.ts';
import { restart } from './g9-restart.ts';
import { writeThrift } from './g10-write-thrift.ts';
import { GrowingDirectMesh } from './growing-mesh/direct-mesh.ts';
import { GrowingIstioMesh } from './growing-mesh/istio-mesh.ts';
import { closeLargeMesh } from './large-mesh/learned-mesh.ts';
import type { Bench, BenchResult } from './method/result.ts';

type Benches = Readonly<Record<string, Bench>>;

const BENCHES: Readonly<Record<string, Benches>> = {
  direct: {
    G1: flatMemory(() => GrowingDirectMesh.open()),
    G2: silentWire,
    G3: logIngest,
    G4: firstRequestToDirect,
    G5: pushFanOut,
    G6: fallbackThroughput,
    G7: coldRequests,
  },
  istio: {
    G1: flatMemory(() => GrowingIstioMesh.open()),
    G4: firstRequestToDirectOnIstio,
    G8: footprint,
    G9: restart,
    G10: writeThrift,
  },
};

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** `MODE=istio`, else direct. */
function chosenBenches(): Benches {
  const mode = process.env['MODE'] || 'direct';
  const benches = BENCHES[mode];
  if (!benches) throw new Error(`MODE is ${mode}; there are ${Object.keys(BENCHES).join(', ')}.`);
  return benches;
}

/**
 * `GOALS=G1,G4`; all of the mode when it is not given. In the order of the goals, whatever that of the list: G8 measures
 * the large mesh while it grows, the others want all of it.
 */
function chosenGoals(benches: Benches): string[] {
  const all = Object.keys(benches);
  const chosen = (process.env['GOALS'] || all.join(',')).split(',').map((goal) => goal.trim());
  const unknown = chosen.filter((goal) => !(goal in benches));
  if (unknown.length > 0) throw new Error(`GOALS has ${unknown.join(', ')}; there are ${all.join(', ')}.`);
  return all.filter((goal) => chosen.includes(goal));
}

function table(results: readonly BenchResult[]): string {
  const rows = results.map(({ goal, contender, peer, unit, ratio, ci95, target, bound, met }) => {
    const interval = ci95.map((bound) => bound.toFixed(4)).join(' to ');
    const goodSide = bound === 'at most' ? '<=' : '>=';
    return [goal, contender, peer, unit, ratio.toFixed(4), interval, `${goodSide} ${target}`, met ? 'yes' : 'no'];
  });
  return renderTable(['GOAL', 'OF', 'TO', 'RATIO OF', 'RATIO', '95 % INTERVAL', 'TARGET', 'MET'], rows);
}

const results: BenchResult[] = [];
const benches = chosenBenches();
for (const goal of chosenGoals(benches)) {
  say(goal);
  results.push(...((await benches[goal]?.(say)) ?? []));
}
await closeLargeMesh();
say(table(results));
const file =
  process.env['JSON'] ||
  fileURLToPath(new URL(`./results/${new Date().toISOString().slice(0, 10)}.json`, import.meta.url));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
say(`Written to ${file}`);
