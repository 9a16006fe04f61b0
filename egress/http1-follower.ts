import type { RequestHead } from './http1-head.ts';
import { MAX_HEAD_BYTES } from './http1-messages.ts';
import { Http1Observer } from './http1-observer.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/** Reads along with an HTTP/1 connection whose bytes go their own way, and tells each of its requests. */
export class Http1Follower {
  readonly #observer = new Http1Observer();
  readonly #onRequest: (request: RequestHead) => void;
  /** Client bytes that are not understood yet: an incomplete head, or what follows a request for a tunnel. */
  #unread: Buffer = NO_BYTES;
  #isOver = false;

  constructor(onRequest: (request: RequestHead) => void) {
    this.#onRequest = onRequest;
  }

  /** Nothing more is told: the connection has become a tunnel, or is not understood any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get hasGivenUp(): boolean {
    return this.#observer.hasGivenUp;
  }

  fromClient(chunk: Buffer): void {
    if (this.#isOver) return;
    const bytes = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
    this.#unread = bytes;
    if (!this.#observer.awaitsTunnel) this.#read(bytes);
    // A client that does not wait for the answer takes it for granted.
    else if (bytes.length > MAX_HEAD_BYTES) this.#end();
  }

  fromUpstream(chunk: Buffer): void {
    if (this.#isOver) return;
    const wasWaiting = this.#observer.awaitsTunnel;
    this.#observer.readResponses(chunk);
    if (this.#observer.isTunnel || this.#observer.hasGivenUp) this.#end();
    else if (wasWaiting && !this.#observer.awaitsTunnel) this.#read(this.#unread);
  }

  #read(bytes: Buffer): void {
    let at = 0;
    do {
      at = this.#observer.nextRequest(bytes, at);
      const { request } = this.#observer;
      if (this.#observer.event === 'Head' && request) {
        this.#onRequest(request);
        this.#observer.admit(request);
      }
    } while (this.#observer.event === 'Head' || (this.#observer.event === 'End' && !this.#observer.awaitsTunnel));
    if (this.#observer.hasGivenUp) this.#end();
    else this.#unread = at < bytes.length ? bytes.subarray(at) : NO_BYTES;
  }

  #end(): void {
    this.#isOver = true;
    this.#unread = NO_BYTES;
  }
}
