import type { Follower, FollowerOwner } from './follower.ts';
import { completedHead } from './http1-completion.ts';
import type { RequestHead } from './http1-head.ts';
import { MAX_HEAD_BYTES } from './http1-messages.ts';
import { Http1Observer } from './http1-observer.ts';
import type { Complete } from './name-completion.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

/**
 * Reads along with an HTTP/1 connection and tells each of its requests. Bytes pass as they come. Only where names may
 * have to be completed, heads wait until they are complete; they too pass untouched unless their name does.
 */
export class Http1Follower implements Follower {
  readonly #observer = new Http1Observer();
  readonly #owner: FollowerOwner;
  readonly #complete: Complete | undefined;
  /** Client bytes that are not understood yet: an incomplete head, or what follows a request for a tunnel. */
  #unread: Buffer = NO_BYTES;
  /** How many of them have passed all the same. */
  #passed = 0;
  #isOver = false;

  constructor(owner: FollowerOwner, complete?: Complete) {
    this.#owner = owner;
    this.#complete = complete;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get hasGivenUp(): boolean {
    return this.#observer.hasGivenUp;
  }

  begin(bytes: Buffer, passed: number): void {
    this.#unread = bytes;
    this.#passed = passed;
    this.#read(bytes);
  }

  fromClient(chunk: Buffer): void {
    if (this.#isOver) {
      this.#owner.forward(chunk);
      return;
    }
    const bytes = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk;
    this.#unread = bytes;
    if (!this.#observer.awaitsTunnel) this.#read(bytes);
    else {
      this.#pass(bytes.length);
      // A client that does not wait for the answer takes it for granted.
      if (bytes.length > MAX_HEAD_BYTES) this.#end();
    }
  }

  fromUpstream(chunk: Buffer): void {
    if (this.#isOver) return;
    const wasWaiting = this.#observer.awaitsTunnel;
    this.#observer.readResponses(chunk);
    if (this.#observer.isTunnel || this.#observer.hasGivenUp) this.#end();
    else if (wasWaiting && !this.#observer.awaitsTunnel) this.#read(this.#unread);
  }

  clientEnded(): void {
    this.#end();
  }

  #read(bytes: Buffer): void {
    let at = 0;
    do {
      const start = at;
      at = this.#observer.nextRequest(bytes, start);
      const { request } = this.#observer;
      if (this.#observer.event === 'Head' && request) this.#admit(request, start, at);
    } while (this.#observer.event === 'Head' || (this.#observer.event === 'End' && !this.#observer.awaitsTunnel));
    if (this.#observer.hasGivenUp) {
      this.#end();
      return;
    }
    // What follows a request for a tunnel may be of the tunnel, whose ends must not wait for us.
    this.#pass(this.#complete && !this.#observer.awaitsTunnel ? at : bytes.length);
    this.#unread = at < bytes.length ? bytes.subarray(at) : NO_BYTES;
    this.#passed -= at;
  }

  /** The head is `#unread` from `start` to `end`. */
  #admit(request: RequestHead, start: number, end: number): void {
    const hasPassed = start < this.#passed;
    const head = this.#complete && !hasPassed && completedHead(this.#observer.head, request, this.#complete);
    if (head) this.#pass(start);
    this.#owner.onRequest(request);
    this.#observer.admit(request);
    if (!head) return;
    this.#owner.forward(Buffer.from(`${head}\r\n`, 'latin1'));
    this.#passed = end;
  }

  /** Passes `#unread` on as far as `end`. */
  #pass(end: number): void {
    if (end <= this.#passed) return;
    const isAll = this.#passed === 0 && end === this.#unread.length;
    this.#owner.forward(isAll ? this.#unread : this.#unread.subarray(this.#passed, end));
    this.#passed = end;
  }

  #end(): void {
    this.#isOver = true;
    this.#pass(this.#unread.length);
    this.#unread = NO_BYTES;
    this.#passed = 0;
  }
}
