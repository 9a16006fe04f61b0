/** Callers of one pod that call service after service through the egress, as their sidecars would. */
import { callAs, type Destination } from './crowd.ts';

export interface LearnersCount {
  /** Calls that were answered. */
  readonly answered: number;
  /** What went wrong, for each failed call. */
  readonly failures: readonly string[];
}

let running = false;
let answered = 0;
let failures: string[] = [];
let end: Promise<void> = Promise.resolve();

async function callEach(
  callers: readonly string[],
  egress: Omit<Destination, 'host'>,
  services: readonly Destination[],
): Promise<void> {
  const calls = services.flatMap((service) => callers.map((caller) => ({ service, caller })));
  for (let next = 0; running; next += 1) {
    const call = calls[next % calls.length];
    if (call === undefined) return;
    await callAs(call.caller, egress, call.service).then(
      () => {
        answered += 1;
      },
      (error: unknown) => void failures.push(String(error)),
    );
    // Leaves the processor to the others.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Every caller calls every service, one call after the other; when all have, it begins anew. */
export function startLearning(
  callers: readonly string[],
  egress: Omit<Destination, 'host'>,
  services: readonly Destination[],
): void {
  running = true;
  end = callEach(callers, egress, services);
}

/** What happened since this was last asked. */
export function countLearned(): LearnersCount {
  const count = { answered, failures };
  answered = 0;
  failures = [];
  return count;
}

/** Ends after the call under way. */
export async function stopLearning(): Promise<LearnersCount> {
  running = false;
  await end;
  return countLearned();
}
