/**
 * RFC 9110 section 9.2.2: a proxy repeats only what may be carried out twice. The server may have acted on the first
 * copy before it closed, and a client that is not told cannot decide for itself.
 */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);

/** The bytes of one request, kept until its response begins: an idle upstream may have closed as they were written. */
export class ReplayBuffer {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  #isKept = false;

  /** @param limit bytes; a longer request is not kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether {@link bytes} is everything that was sent of the request. */
  get isReplayable(): boolean {
    return this.#isKept;
  }

  begin(method: string): void {
    this.clear();
    this.#isKept = IDEMPOTENT.has(method);
  }

  add(bytes: Buffer): void {
    if (!this.#isKept) return;
    this.#length += bytes.length;
    if (this.#length > this.#limit) this.clear();
    else this.#parts.push(bytes);
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  clear(): void {
    this.#isKept = false;
    this.#length = 0;
    if (this.#parts.length > 0) this.#parts = [];
  }
}
