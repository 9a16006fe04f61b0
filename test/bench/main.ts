/** `make bench`: runs the benchmarks of the chosen goals, prints a table, writes the results as JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderTable } from '../../controller/cli/table.ts';
import { flatMemory } from './g1-flat-memory.ts';
import { firstRequestToDirect } from './g4-first-request-to-direct.ts';
import type { Bench, BenchResult } from './result.ts';

const BENCHES: Readonly<Record<string, Bench>> = { G1: flatMemory, G4: firstRequestToDirect };

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

/** `GOALS=G1,G4`; all of them when it is not given. */
function chosenGoals(): string[] {
  const goals = (process.env['GOALS'] || Object.keys(BENCHES).join(',')).split(',').map((goal) => goal.trim());
  const unknown = goals.filter((goal) => !(goal in BENCHES));
  if (unknown.length > 0)
    throw new Error(`GOALS has ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}.`);
  return goals;
}

function table(results: readonly BenchResult[]): string {
  const rows = results.map(({ goal, unit, ratio, ci95, target, met }) => {
    const interval = ci95.map((bound) => bound.toFixed(4)).join(' to ');
    return [goal, unit, ratio.toFixed(4), interval, `<= ${target}`, met ? 'yes' : 'no'];
  });
  return renderTable(['GOAL', 'RATIO OF', 'RATIO', '95 % INTERVAL', 'TARGET', 'MET'], rows);
}

const results: BenchResult[] = [];
for (const goal of chosenGoals()) {
  say(goal);
  results.push(...((await BENCHES[goal]?.(say)) ?? []));
}
say(table(results));
const file =
  process.env['JSON'] ||
  fileURLToPath(new URL(`./results/${new Date().toISOString().slice(0, 10)}.json`, import.meta.url));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
say(`Written to ${file}`);
