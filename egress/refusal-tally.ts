import type { DoorRefusal } from './door.ts';

/**
 * Refusals of connections that a sidecar sent us because the controller told it to: requests fail by them. The rest
 * comes from what has no business here.
 */
const HURTING: ReadonlySet<DoorRefusal> = new Set<DoorRefusal>([
  'MaxConnections',
  'MaxConnectionsPerSource',
  'MaxHalfOpenPerSource',
  'NoCertificates',
  'TlsHandshakeFailed',
  'TlsHandshakeTimeout',
  'NoIdentity',
  'ForeignTrustDomain',
  'IdentityMismatch',
]);

/** Counts the refusals that the controller should know of. */
export class RefusalTally {
  #count = 0;

  add(reason: DoorRefusal): void {
    if (HURTING.has(reason)) this.#count += 1;
  }

  /** Those since the last call. */
  take(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }
}
