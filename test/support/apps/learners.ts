/** Callers of one pod that keep calling what they have never called, through the egress, as their sidecars would. */
import { callAs, type Destination } from './crowd.ts';

export interface LearnersCount {
  /** Calls that were answered, each of them a new dependency. */
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
  for (const service of services) {
    for (const caller of callers) {
      if (!running) return;
      await callAs(caller, egress, service).then(
        () => {
          answered += 1;
        },
        (error: unknown) => void failures.push(String(error)),
      );
      // Leaves the processor to the others.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

/** Every caller calls every service once, one call after the other. */
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
