import type { WireProtocol } from '../controller/core/model.ts';
import type { Follower, FollowerOwner } from './follower.ts';
import { Http1Follower } from './http1-follower.ts';
import { Http2Follower } from './http2-follower.ts';
import type { Traffic } from './metrics.ts';
import type { Complete } from './name-completion.ts';

/**
 * Reads along where requests choose nothing here, but each may name another service to the sidecar behind us; passes on
 * what the client sends.
 */
export class ReadingAlong {
  readonly #owner: FollowerOwner;
  readonly #traffic: Traffic;
  readonly #complete: Complete | undefined;
  #follower: Follower | undefined;

  /** @param complete present where the sidecar behind us does not know every name that the caller's own does */
  constructor(owner: FollowerOwner, traffic: Traffic, complete: Complete | undefined) {
    this.#owner = owner;
    this.#traffic = traffic;
    this.#complete = complete;
  }

  /** Nothing of the connection may pass before {@link begin}. */
  get holdsFirstBytes(): boolean {
    return this.#complete !== undefined;
  }

  /** Client bytes are to be brought here. */
  get isOn(): boolean {
    return this.#follower !== undefined;
  }

  /** @returns false where there is nothing to read, and what was held is to be passed on by the caller */
  begin(protocol: WireProtocol, bytes: Buffer): boolean {
    this.#follower = this.#followerOf(protocol);
    if (!this.#follower) return false;
    this.#follower.begin(bytes, this.#complete ? 0 : bytes.length);
    this.#dismiss();
    return true;
  }

  fromClient(chunk: Buffer): void {
    this.#follower?.fromClient(chunk);
    this.#dismiss();
  }

  fromUpstream(chunk: Buffer): void {
    this.#follower?.fromUpstream(chunk);
    this.#dismiss();
  }

  clientEnded(): void {
    this.#follower?.clientEnded();
    this.#dismiss();
  }

  #followerOf(protocol: WireProtocol): Follower | undefined {
    if (protocol === 'HTTP1') return new Http1Follower(this.#owner, this.#complete);
    return protocol === 'HTTP2' && this.#complete ? new Http2Follower(this.#owner, this.#complete) : undefined;
  }

  #dismiss(): void {
    if (!this.#follower?.isOver) return;
    if (this.#follower.hasGivenUp) this.#traffic.observersGivenUp += 1;
    this.#follower = undefined;
  }
}
