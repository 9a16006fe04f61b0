/** Looks into the memory of a running Node program from outside, through its inspector. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { getJson } from '../../support/bed/http-get.ts';
import { eventually } from '../../support/eventually.ts';

/** Of `/proc/<pid>/status`, in bytes. */
export interface ResidentMemory {
  readonly now: number;
  readonly peak: number;
}

interface HeapUsage {
  readonly usedSize: number;
  /** ArrayBuffers, which lie outside the heap. */
  readonly backingStorageSize?: number;
}

/** Flags of Node that make a program look-into-able at this port of the loopback address. */
export function inspectable(port: number): string {
  return `--inspect=127.0.0.1:${port}`;
}

export class Inspector {
  readonly #socket: WebSocket;
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Waits until the program listens. */
  static async connect(port: number): Promise<Inspector> {
    const [target] = await eventually('the inspector listens', () =>
      getJson<readonly { readonly webSocketDebuggerUrl: string }[]>(`http://127.0.0.1:${port}/json/list`),
    );
    if (!target) throw new Error(`Nothing to inspect at port ${port}`);
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await once(socket, 'open');
    return new Inspector(socket);
  }

  /** Bytes that objects take after two collections of garbage, ArrayBuffers included. */
  async heapUsed(): Promise<number> {
    await this.call('HeapProfiler.enable');
    await this.call('HeapProfiler.collectGarbage');
    await this.call('HeapProfiler.collectGarbage');
    const { usedSize, backingStorageSize = 0 } = await this.call<HeapUsage>('Runtime.getHeapUsage');
    return usedSize + backingStorageSize;
  }

  /** Any method of the DevTools protocol. */
  async call<T>(method: string, params: object = {}): Promise<T> {
    this.#id += 1;
    const id = this.#id;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const onMessage = ({ data }: MessageEvent): void => {
      const answer = JSON.parse(String(data)) as { readonly id?: number; readonly result: T; readonly error?: unknown };
      if (answer.id !== id) return;
      this.#socket.removeEventListener('message', onMessage);
      if (answer.error) reject(new Error(`${method}: ${JSON.stringify(answer.error)}`));
      else resolve(answer.result);
    };
    this.#socket.addEventListener('message', onMessage);
    this.#socket.addEventListener('close', () => reject(new Error('the program ended')), { once: true });
    this.#socket.send(JSON.stringify({ id, method, params }));
    return promise;
  }

  close(): void {
    this.#socket.close();
  }
}

/** What a process has of the machine's memory. */
export function residentMemory(pid: number): ResidentMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
}
