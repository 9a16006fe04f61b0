/**
 * A program that a benchmark starts on a core of its own, and drives over its standard streams: a command is a line of
 * JSON, and so is the answer to it. The first answer comes unasked, when the program is ready.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { cpuSeconds } from './cpu-time.ts';

interface Answer {
  readonly ok?: unknown;
  readonly error?: string;
}

export class BenchProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;

  private constructor(name: string, child: ChildProcessByStdio<Writable, Readable, null>, lines: Interface) {
    this.#name = name;
    this.#child = child;
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** Resolves with the program and what it said when it was ready. */
  static async start<Hello>(
    core: number,
    command: string,
    args: readonly string[],
  ): Promise<{ readonly program: BenchProgram; readonly hello: Hello }> {
    const child = spawn('taskset', ['--cpu-list', String(core), command, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child, 'spawn');
    const name = [command.slice(command.lastIndexOf('/') + 1), ...args].join(' ');
    const program = new BenchProgram(name, child, createInterface({ input: child.stdout }));
    return { program, hello: (await program.#answer()) as Hello };
  }

  /** Does one thing. @throws Error with what the program says is wrong, or that it has ended */
  async call<Result>(name: string, fields: object = {}): Promise<Result> {
    this.#child.stdin.write(`${JSON.stringify({ do: name, ...fields })}\n`);
    return (await this.#answer()) as Result;
  }

  async #answer(): Promise<unknown> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(`${this.#name} has ended; see above`);
    const { ok, error }: Answer = JSON.parse(value);
    if (error !== undefined) throw new Error(`${this.#name}: ${error}`);
    return ok;
  }

  /** CPU seconds that it has used so far. */
  cpuSeconds(): number {
    return cpuSeconds(this.#child.pid ?? 0);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
