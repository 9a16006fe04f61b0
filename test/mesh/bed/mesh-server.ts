/** A server of a mesh bed: started until it is ready, ended, and started again with the same settings. */

import type { Bed } from '../../support/bed/bed.ts';
import type { BedProcess } from '../../support/bed/bed-process.ts';
import { eventually } from '../../support/eventually.ts';

export interface MeshServerOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** Over this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Whether it serves; an error means no. */
  readonly isReady: () => Promise<boolean>;
}

export class MeshServer {
  readonly #bed: Bed;
  readonly #options: MeshServerOptions;
  #process: BedProcess | undefined;

  constructor(bed: Bed, options: MeshServerOptions) {
    this.#bed = bed;
    this.#options = options;
  }

  get process(): BedProcess {
    if (!this.#process) throw new Error(`${this.#options.name} was not started`);
    return this.#process;
  }

  /**
   * Starts and waits until it serves.
   * @throws Error with its last line, as soon as it ends before that
   */
  async start(): Promise<void> {
    const { name, command, environment = {}, isReady } = this.#options;
    const process = this.#bed.start({ name, command, environment });
    this.#process = process;
    const outcome = await eventually(
      `${name} serves`,
      async () => (process.running ? (await isReady()) && 'Serves' : 'Ended'),
      { timeoutMs: 60_000 },
    );
    if (outcome === 'Serves') return;
    const lastLine = process.log().trimEnd().split('\n').at(-1) ?? '';
    throw new Error(`${name} ended with ${await process.exited} before it served: ${lastLine}`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.process.stop(signal);
  }

  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.stop(signal);
    await this.start();
  }
}
