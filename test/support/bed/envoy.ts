/** A real Envoy in a pod, as the user whose connections are not redirected. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { eventually } from '../eventually.ts';
import type { Bed } from './bed.ts';
import type { BedProcess } from './bed-process.ts';
import { EnvoyAdmin } from './envoy-admin.ts';
import { ENVOY_USER } from './network.ts';

export interface EnvoyOptions {
  /** Worker threads; default 1. */
  readonly concurrency?: number;
  /** How long connections of a changed or removed listener live on; default 5. */
  readonly drainSeconds?: number;
  /** Default `warn`. */
  readonly logLevel?: string;
}

interface EnvoyProgram extends EnvoyOptions {
  readonly name: string;
  readonly namespace: string;
  readonly adminSocket: string;
  readonly configuration: string;
}

/** `LAZYSCOPE_ENVOY`, else the copy that `make` installs. */
export function envoyBinary(): string {
  const path = process.env['LAZYSCOPE_ENVOY'] ?? fileURLToPath(new URL('../../../.tools/envoy/envoy', import.meta.url));
  if (!existsSync(path)) throw new Error(`There is no Envoy at ${path}: run "make test", or set LAZYSCOPE_ENVOY.`);
  return path;
}

export class Envoy {
  readonly admin: EnvoyAdmin;
  readonly #bed: Bed;
  readonly #program: EnvoyProgram;
  #process: BedProcess;

  constructor(bed: Bed, program: EnvoyProgram) {
    this.#bed = bed;
    this.#program = program;
    this.admin = new EnvoyAdmin(program.adminSocket);
    this.#process = this.#start();
  }

  #start(): BedProcess {
    const { name, namespace, configuration, concurrency = 1, drainSeconds = 5, logLevel = 'warn' } = this.#program;
    const user = [`--reuid=${ENVOY_USER}`, `--regid=${ENVOY_USER}`, '--clear-groups'];
    const command = [...user, envoyBinary(), '-c', configuration, '--concurrency', String(concurrency)];
    const flags = ['--drain-time-s', String(drainSeconds), '--disable-hot-restart', '--log-level', logLevel];
    return this.#bed.start({ name, namespace, command: [...command, ...flags] });
  }

  /** Waits until it takes connections, also without a controller. */
  async ready(): Promise<void> {
    await eventually(`${this.#program.name} is live`, async () => {
      this.#process.assertRunning();
      return (await this.admin.get('/ready')).includes('LIVE');
    });
  }

  get process(): BedProcess {
    return this.#process;
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#process = this.#start();
    await this.ready();
  }
}
