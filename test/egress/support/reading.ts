import type { Socket } from 'node:net';

/** Collects what a socket receives, and waits for it. */
export class Reading {
  #bytes: Buffer = Buffer.alloc(0);
  #hasEnded = false;
  #isClosed: boolean;
  #error: NodeJS.ErrnoException | undefined;
  #waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.#isClosed = socket.closed;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#progress();
    });
    socket.on('end', () => {
      this.#hasEnded = true;
      this.#progress();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error;
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#progress();
    });
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  get text(): string {
    return this.#bytes.toString('latin1');
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Everything until now, which is forgotten. */
  take(): string {
    const { text } = this;
    this.#bytes = Buffer.alloc(0);
    return text;
  }

  /** Resolves once the text contains this. @throws if the connection ends before */
  async until(text: string): Promise<string> {
    await this.#wait(() => this.text.includes(text), JSON.stringify(text));
    return this.text;
  }

  async untilLength(length: number): Promise<void> {
    await this.#wait(() => this.#bytes.length >= length, `${length} bytes`);
  }

  /** Resolves at FIN. @returns everything that was received */
  async end(): Promise<string> {
    await this.#wait(() => this.#hasEnded, 'the end');
    return this.text;
  }

  /** Resolves at FIN or reset. @returns `FIN`, or the code of the error */
  async over(): Promise<string> {
    while (!this.#hasEnded && !this.#isClosed) await this.#next();
    return this.#error?.code ?? 'FIN';
  }

  async #wait(isDone: () => boolean, what: string): Promise<void> {
    while (!isDone()) {
      if (this.#hasEnded || this.#isClosed) {
        throw new Error(`over (${this.#error?.code}) before ${what}; received ${JSON.stringify(this.text)}`);
      }
      await this.#next();
    }
  }

  #next(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.push(resolve);
    return promise;
  }

  #progress(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }
}
