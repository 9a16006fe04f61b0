import type { RequestHead } from './http1-head.ts';
import { Http1Observer } from './http1-observer.ts';
import { ReplayBuffer } from './replay-buffer.ts';

/** What the gate asks of the connection that it serves. */
export interface GateOwner {
  /** Whether the request may go to the upstream that is attached now. Called once for each head. */
  accepts(request: RequestHead): boolean;
  /** Writes to the attached upstream. */
  forward(bytes: Buffer): void;
  /**
   * Nothing is under way on the old upstream, and the last request that was not accepted waits: attach the upstream it
   * belongs to, then call {@link Http1Gate.proceed}.
   */
  replace(): void;
  /** The order of messages was lost while a request for another upstream waits: it can be sent nowhere. */
  lost(): void;
}

type GateState =
  /** Requests pass. */
  | 'Open'
  /** A head waits for the responses before it, then for its upstream. */
  | 'Waiting'
  /** The owner is attaching an upstream. */
  | 'Replacing'
  /** An upgrade or CONNECT waits for its answer. */
  | 'Upgrading'
  /** Bytes pass unread: a tunnel, or not HTTP/1 as we understand it. */
  | 'Transparent'
  /** Nothing passes any more: what comes may belong to a request for another upstream. */
  | 'Lost';

/**
 * Lets the requests of one HTTP/1 connection pass to its upstream, and stops at a message boundary where the next one
 * belongs to another upstream or the upstream has gone. Never changes, drops or reorders a byte.
 */
export class Http1Gate {
  readonly #owner: GateOwner;
  readonly #observer = new Http1Observer();
  readonly #replay: ReplayBuffer;
  #state: GateState = 'Open';
  /** Client bytes that are not forwarded yet: an incomplete head, or what waits. */
  #held: Buffer | undefined;
  /** Where reading goes on in `#held` once the head at its start is admitted. */
  #headEnd = 0;
  /** Set while a replay waits for its upstream: what to go back to. */
  #stateBeforeReplay: GateState | undefined;

  /** @param bufferBytes longest request that is kept for a replay */
  constructor(owner: GateOwner, bufferBytes: number) {
    this.#owner = owner;
    this.#replay = new ReplayBuffer(bufferBytes);
  }

  /** Client bytes cannot pass now; reading them should stop. */
  get isBlocked(): boolean {
    return this.#state !== 'Open' && this.#state !== 'Transparent';
  }

  /** Bytes wait for an upstream that is not there yet, or for an answer that tells whose they are. */
  get isWaiting(): boolean {
    if (this.#state === 'Upgrading') return this.#held !== undefined;
    return this.#state === 'Waiting' || this.#state === 'Replacing';
  }

  get isTransparent(): boolean {
    return this.#state === 'Transparent';
  }

  get hasGivenUp(): boolean {
    return this.#observer.hasGivenUp;
  }

  /** The upstream may go now without anybody missing it: between messages, and nobody announced a close. */
  get isIdle(): boolean {
    return this.#state === 'Open' && this.#observer.isIdle && !this.#observer.isClosing;
  }

  /** An upstream that was used before has gone before a byte of its response: the request can be sent once more. */
  get isReplayable(): boolean {
    return this.#replay.isReplayable && this.#observer.unanswered === 1;
  }

  fromClient(chunk: Buffer): void {
    if (this.#state === 'Transparent') {
      this.#owner.forward(chunk);
      return;
    }
    if (this.#state === 'Lost') return;
    const bytes = this.#held ? Buffer.concat([this.#held, chunk]) : chunk;
    this.#held = undefined;
    if (this.#state === 'Open') this.#pass(bytes, 0);
    else this.#held = bytes;
  }

  /** Reads along; the bytes are on their way to the client already. */
  fromUpstream(chunk: Buffer): void {
    if (this.#state === 'Transparent' || this.#state === 'Lost') return;
    this.#replay.clear();
    this.#observer.readResponses(chunk);
    if (this.#observer.isTunnel || this.#observer.hasGivenUp) this.#becomeTransparent();
    else if (this.#state === 'Waiting') this.#replaceWhenQuiet();
    else if (this.#state === 'Upgrading' && !this.#observer.awaitsTunnel) this.#reopen();
  }

  /** The client will send no more, and nothing {@link isWaiting}. What is held of an incomplete head passes as it is. */
  clientEnded(): void {
    if (this.#state === 'Open' || this.#state === 'Upgrading') this.#becomeTransparent();
  }

  /** Stops until {@link proceed}: the request is to be sent once more to a new upstream. */
  awaitReplay(): void {
    this.#stateBeforeReplay = this.#state;
    this.#state = 'Replacing';
  }

  /** The new upstream is attached. */
  proceed(): void {
    this.#observer.replaceUpstream();
    if (this.#stateBeforeReplay) this.#sendAgain(this.#stateBeforeReplay);
    else this.#admitHeld();
  }

  #sendAgain(stateBefore: GateState): void {
    const bytes = this.#replay.bytes();
    this.#replay.clear();
    this.#stateBeforeReplay = undefined;
    this.#state = stateBefore;
    this.#owner.forward(bytes);
    if (stateBefore === 'Open') this.#reopen();
  }

  #admitHeld(): void {
    const bytes = this.#held;
    const request = this.#observer.request;
    this.#held = undefined;
    this.#state = 'Open';
    if (!bytes || !request) return;
    this.#observer.admit(request);
    this.#pass(bytes, this.#headEnd);
  }

  #reopen(): void {
    this.#state = 'Open';
    const bytes = this.#held;
    this.#held = undefined;
    if (bytes) this.#pass(bytes, 0);
  }

  /** Forwards as far as possible. @param offset where reading goes on; everything before it is admitted */
  #pass(bytes: Buffer, offset: number): void {
    let at = offset;
    let sent = 0;
    for (;;) {
      const start = at;
      at = this.#observer.nextRequest(bytes, start);
      switch (this.#observer.event) {
        case 'Head':
          sent = this.#send(bytes, sent, start);
          if (!this.#admit()) {
            this.#hold(bytes, start, 'Waiting');
            this.#headEnd = at - start;
            this.#replaceWhenQuiet();
            return;
          }
          break;
        case 'End':
          if (at < bytes.length && !this.#observer.awaitsTunnel) break;
          this.#send(bytes, sent, at);
          this.#hold(bytes, at, this.#observer.awaitsTunnel ? 'Upgrading' : 'Open');
          return;
        case 'More':
          this.#send(bytes, sent, at);
          this.#hold(bytes, at, 'Open');
          return;
        default:
          this.#send(bytes, sent, bytes.length);
          this.#becomeTransparent();
          return;
      }
    }
  }

  /** Asks for the request just read. @returns false if it belongs to another upstream */
  #admit(): boolean {
    const request = this.#observer.request;
    if (!request || !this.#owner.accepts(request)) return false;
    // A fresh upstream that closes without an answer means it; only one that idled may have closed by coincidence.
    if (this.#observer.answered > 0 && this.#observer.unanswered === 0) this.#replay.begin(request.method);
    else this.#replay.clear();
    this.#observer.admit(request);
    return true;
  }

  /** @returns `end` */
  #send(bytes: Buffer, start: number, end: number): number {
    if (end > start) {
      const part = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
      this.#replay.add(part);
      this.#owner.forward(part);
    }
    return end;
  }

  #hold(bytes: Buffer, start: number, state: GateState): void {
    this.#state = state;
    this.#held = start < bytes.length ? bytes.subarray(start) : undefined;
  }

  #replaceWhenQuiet(): void {
    // After an announced close the server's FIN is what follows; it is passed on as it comes.
    if (this.#observer.unanswered > 0 || this.#observer.isClosing) return;
    this.#state = 'Replacing';
    this.#owner.replace();
  }

  #becomeTransparent(): void {
    const isElsewhere = this.#state === 'Waiting';
    this.#state = isElsewhere ? 'Lost' : 'Transparent';
    this.#replay.clear();
    const bytes = this.#held;
    this.#held = undefined;
    if (isElsewhere) this.#owner.lost();
    else if (bytes) this.#owner.forward(bytes);
  }
}
