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
