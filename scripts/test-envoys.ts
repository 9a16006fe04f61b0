/**
 * Runs the tests of what passes between sidecars and controller with each supported version of Envoy:
 * `node scripts/test-envoys.ts VERSION...`, each of them installed in `.tools/envoys/VERSION/` (`scripts/setup.sh mesh`).
 * Fails when a version fails a test or skips one, or when versions ran different numbers of tests.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Every protocol and every change of path; what stays out looks at the bed, or at the egress without a sidecar. */
const SUITE = [
  'http1',
  'http2',
  'kills',
  'late-pods',
  'latency',
  'modes',
  'promotion',
  'restart',
  'scope',
  'static-sidecar',
  'tcp',
].map((name) => `test/e2e/${name}.test.ts`);

interface Outcome {
  readonly version: string;
  readonly tests: number;
  readonly passed: number;
  readonly succeeded: boolean;
}

function binaryOf(version: string): string {
  const binary = fileURLToPath(new URL(`../.tools/envoys/${version}/envoy`, import.meta.url));
  const { stdout, error } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  if (error || !stdout.includes(`/${version}/`)) throw new Error(`${binary} is not Envoy ${version}`);
  return binary;
}

async function run(version: string): Promise<Outcome> {
  process.stdout.write(`\nEnvoy ${version}\n`);
  const env = { ...process.env, LAZYSCOPE_ENVOY: binaryOf(version) };
  const runner = fileURLToPath(new URL('./test.ts', import.meta.url));
  const tests = spawn(process.execPath, [runner, ...SUITE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(tests, 'exit');
  const counts = new Map<string, number>();
  for await (const line of createInterface({ input: tests.stdout })) {
    process.stdout.write(`${line}\n`);
    const [, name, count] = /^\S+ (tests|pass) (\d+)$/.exec(line) ?? [];
    if (name !== undefined) counts.set(name, Number(count));
  }
  const [code] = await exited;
  return { version, tests: counts.get('tests') ?? 0, passed: counts.get('pass') ?? 0, succeeded: code === 0 };
}

// The runner takes parts of paths, so that it would pass over a file that was renamed.
const missing = SUITE.filter((file) => !existsSync(file));
if (missing.length > 0) throw new Error(`There is no ${missing.join(', ')}`);

const versions = process.argv.slice(2);
const outcomes: Outcome[] = [];
for (const version of versions) outcomes.push(await run(version));

process.stdout.write('\n');
for (const { version, tests, passed, succeeded } of outcomes) {
  process.stdout.write(`Envoy ${version}: ${passed} of ${tests} tests passed${succeeded ? '' : ', FAILED'}\n`);
}
const sameTests = new Set(outcomes.map(({ tests }) => tests)).size === 1;
if (!sameTests || outcomes.some(({ succeeded }) => !succeeded)) process.exitCode = 1;
