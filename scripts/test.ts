/**
 * Runs `test/**\/*.test.ts` of the working directory with Node's test runner: unit tests side by side, then those under
 * `test/e2e/` one at a time, since each of them fills the machine with Envoys. `node scripts/test.ts PART...` takes only
 * files whose path contains one of the parts. `node scripts/test.ts --mesh PART...` takes those under `test/mesh/`, which
 * are otherwise left out: side by side, as most of them wait for delays, but those under `test/mesh/load/` one at a time.
 *
 * Stricter than `node --test`: also a skipped or todo test fails the run, and so does a run without any test.
 */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import {
  type Counts,
  closingLines,
  failure,
  isClosingLine,
  lateFailure,
  NO_COUNTS,
  passedOver,
  plus,
  verdict,
} from './test-verdict.ts';

const E2E = 'test/e2e/';
/** Tests on a real API server and istiod: a run of their own (`make test-mesh`), as building these takes long. */
const MESH = 'test/mesh/';
/** Files that want the machine for themselves. */
const ALONE = [E2E, 'test/mesh/load/'];
/** On a mesh of real programs, and without. */
const FILE_TIMEOUT_MS = { mesh: 900_000, unit: 120_000 };

let counts: Counts = NO_COUNTS;
let succeeded = true;
const skips: string[] = [];
const failed: string[] = [];
const startedAt = performance.now();

/** Takes note of what decides the verdict. */
function note(event: TestEvent): void {
  if (event.type === 'test:pass' || event.type === 'test:fail') skips.push(...passedOver(event.data));
  if (event.type === 'test:diagnostic') failed.push(...lateFailure(event.data));
  if (event.type === 'test:fail') failed.push(...failure(event.data));
  if (event.type !== 'test:summary' || event.data.file !== undefined) return;
  counts = plus(counts, event.data.counts);
  succeeded &&= event.data.success;
}

/** Both runs as one stream of events, each run's closing lines held back in favour of the sum. */
async function* eventsOf(runs: readonly (() => AsyncIterable<TestEvent>)[]): AsyncGenerator<TestEvent> {
  for (const start of runs) {
    for await (const event of start()) {
      note(event);
      if (event.type !== 'test:diagnostic' || !isClosingLine(event.data)) yield event;
    }
  }
  for (const message of closingLines(counts, performance.now() - startedAt)) {
    yield { type: 'test:diagnostic', data: { message, nesting: 0, level: 'info' } };
  }
}

const args = process.argv.slice(2);
const onMesh = args[0] === '--mesh';
const parts = onMesh ? args.slice(1) : args;
const files = globSync('test/**/*.test.ts')
  .filter((file) => file.startsWith(MESH) === onMesh)
  .filter((file) => parts.length === 0 || parts.some((part) => file.includes(part)))
  .sort();
const isAlone = (file: string): boolean => ALONE.some((folder) => file.startsWith(folder));
const timeout = onMesh ? FILE_TIMEOUT_MS.mesh : FILE_TIMEOUT_MS.unit;

const events = eventsOf([
  () => run({ files: files.filter((file) => !isAlone(file)), concurrency: availableParallelism(), timeout }),
  () => run({ files: files.filter(isAlone), concurrency: 1, timeout: FILE_TIMEOUT_MS.mesh }),
]);
for await (const text of Readable.from(events).compose(new spec())) process.stdout.write(text);

const complaint = verdict(counts, { skips, failed, succeeded });
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = 1;
}
