/**
 * Which callers may go on after which marks. A mark is a change of the probe's own configuration that no other change
 * looks like; an istiod has shown it once it pushed it to the probe.
 *
 * One mark is not enough. istiod puts all proxies into one queue, in random order, and pushes the queue from its front;
 * a proxy that is already in it keeps its place (Istio's pilot/pkg/xds/pushqueue.go). So the probe may be served long
 * before a workload, with the same push. But the push of a mark that was written after the first one was shown puts the
 * probe behind every proxy that still waits for the first: once the second is shown, all of these have left the queue,
 * and what is written from now on can no longer join what they get.
 */
const NEEDED_MARKS = 2;

interface Passing<W> {
  readonly waiter: W;
  readonly seen: number;
}

interface MarkInFlight {
  readonly mark: number;
  /** Who has yet to show it. */
  readonly awaited: ReadonlySet<string>;
}

/** At most one mark is in flight. `W` stands for a caller. */
export interface ArrivalRounds<W> {
  /** Came after the mark in flight was begun, so that it says nothing to them. */
  readonly waiting: readonly W[];
  readonly passing: readonly Passing<W>[];
  readonly inFlight?: MarkInFlight;
}

export const NO_ROUNDS: ArrivalRounds<never> = { waiting: [], passing: [] };

/** A caller whose changes the API server has accepted. */
export function join<W>(rounds: ArrivalRounds<W>, waiter: W): ArrivalRounds<W> {
  return { ...rounds, waiting: [...rounds.waiting, waiter] };
}

/** Whether a mark is to be written: somebody needs one and none is in flight. */
export function wantsMark<W>({ waiting, passing, inFlight }: ArrivalRounds<W>): boolean {
  return inFlight === undefined && waiting.length + passing.length > 0;
}

/** The mark is about to be written. Only istiods whose stream is open may be awaited: who connects later pushes nothing. */
export function begin<W>(rounds: ArrivalRounds<W>, mark: number, istiods: Iterable<string>): ArrivalRounds<W> {
  const joined = rounds.waiting.map((waiter) => ({ waiter, seen: 0 }));
  return { waiting: [], passing: [...rounds.passing, ...joined], inFlight: { mark, awaited: new Set(istiods) } };
}

/** An istiod has pushed a mark to the probe; any but the one in flight says nothing. */
export function shown<W>(rounds: ArrivalRounds<W>, istiod: string, mark: number): ArrivalRounds<W> {
  const { inFlight } = rounds;
  if (inFlight?.mark !== mark || !inFlight.awaited.has(istiod)) return rounds;
  const awaited = new Set(inFlight.awaited);
  awaited.delete(istiod);
  return { ...rounds, inFlight: { mark, awaited } };
}

/** Whether every istiod has shown the mark in flight. */
export function isShown<W>({ inFlight }: ArrivalRounds<W>): boolean {
  return inFlight?.awaited.size === 0;
}

/** Rounds without the mark in flight, and those who need not wait any longer. */
export interface Ended<W> {
  readonly rounds: ArrivalRounds<W>;
  readonly released: readonly W[];
}

/** The mark in flight was shown by all: `released` have seen enough. */
export function arrived<W>({ waiting, passing }: ArrivalRounds<W>): Ended<W> {
  const counted = passing.map(({ waiter, seen }) => ({ waiter, seen: seen + 1 }));
  return {
    rounds: { waiting, passing: counted.filter(({ seen }) => seen < NEEDED_MARKS) },
    released: counted.filter(({ seen }) => seen >= NEEDED_MARKS).map(({ waiter }) => waiter),
  };
}

/** The mark in flight is lost: `released` will never know. Who came after it was begun has not missed anything. */
export function lost<W>({ waiting, passing }: ArrivalRounds<W>): Ended<W> {
  return { rounds: { waiting, passing: [] }, released: passing.map(({ waiter }) => waiter) };
}
