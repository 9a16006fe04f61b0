import type { DoorRefusal } from './door.ts';

/**
 * Refusals that a sidecar of ours can meet: its requests fail by them. Strangers meet them too, so each is told with
 * where it came from.
 */
const HURTING: ReadonlySet<DoorRefusal> = new Set<DoorRefusal>([
  'SourceNotAllowed',
  'MaxConnections',
  'MaxConnectionsPerSource',
  'MaxHalfOpenPerSource',
  // What a sidecar sends that another DestinationRule than ours tells how to speak to us.
  'HeaderTimeout',
  'BrokenHeader',
  'SourceMismatch',
  'NoCertificates',
  'TlsHandshakeFailed',
  'TlsHandshakeTimeout',
  'NoIdentity',
  'ForeignTrustDomain',
  'IdentityMismatch',
]);
/** Sources that are told apart at a time: as many as there are pods in a large mesh. */
const MAX_SOURCES = 10_000;

/** Counts the refusals that the controller should know of, by source address. */
export class RefusalTally {
  #counts = new Map<string, number>();
  #untold = 0;

  /** Refusals that the controller is not told of, as they came from too many sources at a time. */
  get untold(): number {
    return this.#untold;
  }

  add(reason: DoorRefusal, source: string): void {
    if (!HURTING.has(reason) || source === '') return;
    const count = this.#counts.get(source);
    if (count !== undefined || this.#counts.size < MAX_SOURCES) this.#counts.set(source, (count ?? 0) + 1);
    else this.#untold += 1;
  }

  /** Those since the last call. */
  take(): ReadonlyMap<string, number> {
    const counts = this.#counts;
    this.#counts = new Map();
    return counts;
  }
}
