import type { RequestHead } from './http1-head.ts';

/** What a follower asks of the connection that it serves. */
export interface FollowerOwner {
  /** Writes to the upstream. */
  forward(bytes: Buffer): void;
  /** An HTTP/1 request passes: its head as the client sent it. */
  onRequest(request: RequestHead): void;
  /** Neither the bytes themselves nor others in their place can be sent on. */
  abort(reason: 'HeadersNotUnderstood'): void;
}

/** Reads along with a connection, and passes on what its client sends. */
export interface Follower {
  /**
   * Starts with what the client has sent so far.
   * @param passed how much of it was passed on already
   */
  begin(bytes: Buffer, passed: number): void;
  fromClient(chunk: Buffer): void;
  /** The bytes are on their way to the client already. */
  fromUpstream(chunk: Buffer): void;
  /** The client will send no more: what is held passes as it is. */
  clientEnded(): void;
  /** Bytes pass as they are from now on; there is nothing more to do. */
  readonly isOver: boolean;
  /** It is over because the bytes were not understood. */
  readonly hasGivenUp: boolean;
}
