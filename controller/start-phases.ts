/** How long a start takes, phase by phase: what a restart that is slower than it was is explained with. */

/** What a start reaches, not always in this order. */
export type StartPhase =
  /** Node runs, and every module is loaded. */
  | 'loaded'
  /** HTTP answers. */
  | 'http'
  /** The store is read, the graph complete. */
  | 'graph'
  /** gRPC takes streams. */
  | 'grpc'
  /** Every object is known, and it is known what to publish. */
  | 'synced';

/** Milliseconds since the process began. */
export interface StartReport {
  readonly phases: Readonly<Partial<Record<StartPhase, number>>>;
  /** When each kind of objects was listed completely, under the name that RBAC gives it. */
  readonly listed: Readonly<Record<string, number>>;
  /** Processor time of all this process's threads so far: far below the time that went by, it had to wait for others. */
  readonly cpu: number;
}

export interface StartClock {
  /** Milliseconds since the process began. */
  readonly elapsed: () => number;
  /** Milliseconds of processor time. */
  readonly cpu: () => number;
}

const PROCESS_CLOCK: StartClock = {
  elapsed: () => performance.now(),
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  },
};

export class StartPhases {
  readonly #clock: StartClock;
  readonly #phases: Partial<Record<StartPhase, number>> = {};
  readonly #listed: Record<string, number> = {};

  /** @param clock this process's by default */
  constructor(clock = PROCESS_CLOCK) {
    this.#clock = clock;
  }

  /** The first time counts. */
  reached(phase: StartPhase): void {
    this.#phases[phase] ??= Math.round(this.#clock.elapsed());
  }

  listed(kind: string): void {
    this.#listed[kind] ??= Math.round(this.#clock.elapsed());
  }

  report(): StartReport {
    return { phases: this.#phases, listed: this.#listed, cpu: Math.round(this.#clock.cpu()) };
  }
}
