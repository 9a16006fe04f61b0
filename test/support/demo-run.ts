/** `make demo` as its user runs it. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const DEMO = fileURLToPath(new URL('../../demo/main.ts', import.meta.url));

export class DemoRun {
  readonly #process: ChildProcess;
  #text = '';
  #check: () => void = () => undefined;

  constructor(environment: Readonly<Record<string, string>>) {
    const env = { ...process.env, ...environment };
    this.#process = spawn(process.execPath, [DEMO], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.#text += chunk;
      this.#check();
    });
  }

  /** Everything it printed. */
  get text(): string {
    return this.#text;
  }

  /** Resolves when the text was printed. */
  async printed(part: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#check = () => {
        if (this.#text.includes(part)) resolve();
      };
      this.#check();
    });
  }

  /** Its exit code, or `null` after a signal that ended it. */
  async ended(): Promise<number | null> {
    const [code] = await once(this.#process, 'close');
    return code;
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#process.kill(signal);
    return this.ended();
  }

  /** Network namespaces, folders and programs of the bed that it has named. */
  remains(): readonly string[] {
    const [, number] = /10\.(\d+)\.0\.1 is this machine/.exec(this.#text) ?? [];
    assert.ok(number, `it has named its bed: ${this.#text}`);
    const folder = `lazyscope-bed-${number}-`;
    const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n');
    return [
      ...namespaces.filter((name) => name.startsWith(`lzs${number}-`)),
      ...readdirSync(tmpdir()).filter((name) => name.startsWith(folder)),
      ...runningCommands().filter((command) => command.includes(join(tmpdir(), folder))),
    ];
  }

  /** Waits until nothing remains; what was told to end may take a moment. */
  async assertNothingLeft(): Promise<void> {
    await eventually('nothing remains', () => this.remains().length === 0).catch(() => undefined);
    assert.deepEqual(this.remains(), []);
  }
}

function runningCommands(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        // It ended by itself in between.
        return '';
      }
    });
}
