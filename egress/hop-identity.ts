/** Who may come through the hop: pure decisions about a peer whose certificate has been verified. */
import type { SpiffeId } from '../controller/tls/spiffe-id.ts';
import type { IdentityView } from './identity-table.ts';

export type IdentityRefusal =
  /** The certificate carries no SPIFFE identity. */
  | 'NoIdentity'
  /** An identity of another mesh. */
  | 'ForeignTrustDomain'
  /** Another pod is known by this address. */
  | 'IdentityMismatch'
  /** It is an egress: what it brings has been here. */
  | 'Loop';

/** What the decision depends on besides the peer. */
export interface HopTrust {
  /** Our own identity. */
  readonly own: SpiffeId;
  /** Further names of our trust domain. */
  readonly trustDomainAliases: readonly string[];
  readonly identities: IdentityView;
}

export interface Refused {
  readonly reason: IdentityRefusal;
  readonly detail: string;
}

/**
 * Why a peer is refused, or nothing. A peer at an address that nobody is known by is served: pods call out before the
 * controller has told of them.
 */
export function refuseIdentity(
  shown: SpiffeId | undefined,
  address: string,
  { own, trustDomainAliases, identities }: HopTrust,
): Refused | undefined {
  if (!shown) return { reason: 'NoIdentity', detail: 'its certificate carries no SPIFFE identity' };
  const { uri, trustDomain, workload } = shown;
  if (trustDomain !== own.trustDomain && !trustDomainAliases.includes(trustDomain)) {
    return { reason: 'ForeignTrustDomain', detail: `it is ${uri}, and this mesh is ${own.trustDomain}` };
  }
  if (workload === own.workload) return { reason: 'Loop', detail: `it is ${uri}, as we are` };
  const known = identities.of(address);
  if (known.length === 0 || known.includes(workload)) return undefined;
  return { reason: 'IdentityMismatch', detail: `it is ${uri}, and ${address} belongs to ${known.join(', ')}` };
}
