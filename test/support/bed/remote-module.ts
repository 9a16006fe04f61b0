/** Calls the functions of a module that runs in a pod. */
import { fileURLToPath } from 'node:url';
import type { Bed } from './bed.ts';
import type { BedProcess } from './bed-process.ts';

/** What is asked of the pod's side, `remote-host.ts`. */
export interface RemoteCall {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What it answers; the first answer, `id` 0, says that the module is loaded. */
export interface RemoteAnswer {
  readonly id: number;
  readonly value?: unknown;
  /** Message and stack of what was thrown there. */
  readonly error?: string;
}

type AnyFunction = (...args: never[]) => unknown;
type Functions<M> = { [K in keyof M as M[K] extends AnyFunction ? K : never]: Extract<M[K], AnyFunction> };

export interface RemoteProgram {
  readonly name: string;
  /** Network namespace. */
  readonly namespace: string;
  readonly module: URL;
  readonly user?: number;
}

const HOST = fileURLToPath(new URL('./remote-host.ts', import.meta.url));

/** Arguments and results are structured clones: buffers, maps and the like pass, functions and sockets do not. */
export class RemoteModule<M extends object> {
  readonly process: BedProcess;
  readonly #waiting = new Map<number, (answer: RemoteAnswer) => void>();
  #lastId = 0;

  private constructor(process: BedProcess) {
    this.process = process;
    process.child.on('message', (message) => this.#answer(message as RemoteAnswer));
    process.child.once('exit', () => this.#ended());
  }

  /** @throws Error when the module cannot be loaded */
  static async start<M extends object>(bed: Bed, program: RemoteProgram): Promise<RemoteModule<M>> {
    const { name, namespace, module, user } = program;
    const command = [process.execPath, HOST, module.href, ...(user === undefined ? [] : [String(user)])];
    const remote = new RemoteModule<M>(bed.start({ name, namespace, command, channel: true }));
    await remote.#result(0);
    return remote;
  }

  async call<K extends keyof Functions<M> & string>(
    name: K,
    ...args: Parameters<Functions<M>[K]>
  ): Promise<Awaited<ReturnType<Functions<M>[K]>>> {
    this.process.assertRunning();
    this.#lastId += 1;
    const call: RemoteCall = { id: this.#lastId, name, args };
    const result = this.#result(call.id);
    this.process.child.send(call);
    return (await result) as Awaited<ReturnType<Functions<M>[K]>>;
  }

  /** Ends the program at once, its connections with it. */
  async stop(): Promise<void> {
    await this.process.stop('SIGKILL');
  }

  async #result(id: number): Promise<unknown> {
    const answer = await new Promise<RemoteAnswer>((resolve) => this.#waiting.set(id, resolve));
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.value;
  }

  #answer(answer: RemoteAnswer): void {
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }

  #ended(): void {
    if (this.#waiting.size === 0) return;
    const error = `${this.process.name} ended: ${this.process.log().slice(-2_000)}`;
    for (const id of this.#waiting.keys()) this.#answer({ id, error });
  }
}
