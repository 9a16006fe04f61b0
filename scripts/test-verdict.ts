/** What makes a test run pass: some tests, all of them run, none failed. */
import type { EventData } from 'node:test';

export type Counts = Pick<
  EventData.TestSummary['counts'],
  'tests' | 'suites' | 'passed' | 'cancelled' | 'skipped' | 'todo'
>;
export const NO_COUNTS: Counts = { tests: 0, suites: 0, passed: 0, cancelled: 0, skipped: 0, todo: 0 };

export function plus(a: Counts, b: Counts): Counts {
  return {
    tests: a.tests + b.tests,
    suites: a.suites + b.suites,
    passed: a.passed + b.passed,
    cancelled: a.cancelled + b.cancelled,
    skipped: a.skipped + b.skipped,
    todo: a.todo + b.todo,
  };
}

/** The summary does not count failures: they are what is left. */
function failures(counts: Counts): number {
  return counts.tests - counts.passed - counts.cancelled - counts.skipped - counts.todo;
}

const CLOSING_LINE = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

/** Whether it is one of the lines with which Node's runner closes a run. */
export function isClosingLine({ nesting, message }: Pick<EventData.TestDiagnostic, 'nesting' | 'message'>): boolean {
  return nesting === 0 && CLOSING_LINE.test(message);
}

/** The closing lines of Node's runner, in its words and order. */
export function closingLines(counts: Counts, durationMs: number): string[] {
  return [
    `tests ${counts.tests}`,
    `suites ${counts.suites}`,
    `pass ${counts.passed}`,
    `fail ${failures(counts)}`,
    `cancelled ${counts.cancelled}`,
    `skipped ${counts.skipped}`,
    `todo ${counts.todo}`,
    `duration_ms ${durationMs}`,
  ];
}

/** The test's name if it, or a whole suite, was skipped or is a todo. The counts know nothing of skipped suites. */
export function passedOver({ name, skip, todo }: Pick<EventData.TestPass, 'name' | 'skip' | 'todo'>): string[] {
  const isSet = (mark: string | boolean | undefined): boolean => mark !== undefined && mark !== false;
  return isSet(skip) || isSet(todo) ? [name] : [];
}

/**
 * What failed when no test was left to fail for it, such as a write that nobody waited for: Node's runner fails the file,
 * and says why only here, far above the list of failures.
 */
export function lateFailure({ message }: Pick<EventData.TestDiagnostic, 'message'>): string[] {
  return message.includes('generated asynchronous activity after the test ended') ? [message] : [];
}

/** Of an error; an assertion on long texts says its first lines and where it stands. */
const REASON_LINES = 6;

/**
 * A failed test in a few lines: where it stands, its name, what its error says and the line that threw. Each run's own
 * list of failures is followed by the next run's output, so that the end of a log would not show the first one's. Of a
 * suite nothing, as its tests are told.
 */
export function failure({ name, file, line, details }: EventData.TestFail): string[] {
  const { failureType, cause } = details.error as Error & { readonly failureType?: string };
  if (failureType === 'subtestsFailed') return [];
  const [message, frames] = cause instanceof Error ? [cause.message, cause.stack ?? ''] : [String(cause), ''];
  const thrownAt = frames.split('\n').find((frame) => frame.trimStart().startsWith('at ') && !frame.includes('node:'));
  const reason = message.split('\n').slice(0, REASON_LINES);
  return [`${file}:${line} ${name}`, ...reason.map((text) => `  ${text}`), ...(thrownAt ? [thrownAt] : [])];
}

/** Why the run fails, or nothing. `succeeded` is the runner's own verdict, which knows of failed hooks. */
export function verdict(
  counts: Counts,
  { skips, failed, succeeded }: { skips: readonly string[]; failed: readonly string[]; succeeded: boolean },
): string | undefined {
  if (counts.tests === 0) return 'No test ran.';
  if (skips.length > 0) return `Not everything ran; skipped or todo: ${skips.join(', ')}`;
  return succeeded && counts.passed === counts.tests ? undefined : ['Some tests failed.', ...failed].join('\n');
}
