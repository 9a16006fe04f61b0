/** A program of the bed: its output in a file, and an end that is certain. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

export interface BedProgram {
  /** Name in messages and of the log file. */
  readonly name: string;
  readonly command: readonly string[];
  /** Where both outputs go; appended to, so a restart continues it. */
  readonly logFile: string;
  /** Network namespace; absent: this machine's own. */
  readonly namespace?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Opens a channel for `process.send`, with structured clones; it is descriptor 3. */
  readonly channel?: boolean;
}

/**
 * Starts at once. The kernel ends the program when ours dies, even of kill -9 (`setpriv --pdeathsig`).
 * https://man7.org/linux/man-pages/man2/pr_set_pdeathsig.2const.html
 */
export class BedProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Resolves with exit code or signal name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  readonly #logFile: string;

  constructor({ name, command, logFile, namespace, environment = {}, channel }: BedProgram) {
    this.name = name;
    this.#logFile = logFile;
    const log = openSync(logFile, 'a');
    const within = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
    const [file = '', ...args] = [...within, 'setpriv', '--pdeathsig', 'KILL', ...command];
    this.child = spawn(file, args, {
      stdio: ['ignore', log, log, ...(channel ? (['ipc'] as const) : [])],
      env: { ...process.env, ...environment },
      serialization: 'advanced',
    });
    closeSync(log);
    this.exited = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
    });
    // Whoever awaits it learns of a failed start; nobody else is to crash of it.
    this.exited.catch(() => undefined);
  }

  get running(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} did not start`);
    return this.child.pid;
  }

  /** Everything it wrote. */
  log(): string {
    return readFileSync(this.#logFile, 'utf8');
  }

  /** Sends the signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    this.child.kill(signal);
    return this.exited;
  }

  /** @throws Error with the last lines of its output, if it has ended */
  assertRunning(): void {
    if (this.running) return;
    const lines = this.log().trimEnd().split('\n').slice(-15).join('\n');
    throw new Error(`${this.name} ended (${this.child.signalCode ?? this.child.exitCode}); its last output:\n${lines}`);
  }
}
