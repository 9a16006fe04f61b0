/** The Go program in `load/`: cheap load and the server behind the proxies, both on one core beside that of the proxy. */
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { buildEnvironment } from '../../mesh/servers/build-environment.ts';

const SOURCE = fileURLToPath(new URL('./load', import.meta.url));

/** What was done since the start. */
export interface LoadCounts {
  readonly units: number;
  readonly bytes: number;
  readonly errors: number;
  /** The first thing that went wrong. */
  readonly error?: string;
  /** CPU time of load and server. */
  readonly cpuMicroseconds: number;
  /** Since the last counts, of kind `open`: from when a request was due until its response was complete. */
  readonly warmMicroseconds?: readonly number[];
  /** The same, of requests that were the first to their address. */
  readonly coldMicroseconds?: readonly number[];
}

/** Compiles the load; takes a second. @returns the program */
export function buildLoad(folder: string): string {
  const program = join(folder, 'load');
  execFileSync('go', ['build', '-o', program, '.'], { cwd: SOURCE, env: buildEnvironment(), stdio: 'inherit' });
  return program;
}

export interface LoadOptions {
  readonly program: string;
  /** Network namespace. */
  readonly namespace: string;
  readonly core: number;
  /** Without their dashes; what they mean says `load/main.go`. */
  readonly flags: Readonly<Record<string, string | number>>;
}

/** A running load. */
export class Load {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;

  constructor({ program, namespace, core, flags }: LoadOptions) {
    const pinned = ['ip', 'netns', 'exec', namespace, 'setpriv', '--pdeathsig', 'KILL', 'taskset', '-c', String(core)];
    const given = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)]);
    const [file = '', ...args] = [...pinned, program, ...given];
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws Error when the program has ended */
  async counts(): Promise<LoadCounts> {
    this.#child.stdin.write('\n');
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`The load has ended with ${this.#child.exitCode}; it has said why.`);
    return JSON.parse(value);
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}
