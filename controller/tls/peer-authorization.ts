import type { ServerReadableStream } from '@grpc/grpc-js';
import type { CertificateFolder } from './certificate-folder.ts';
import { spiffeIdOf, spiffeUri } from './spiffe-id.ts';

/** A call, as far as it tells who calls. */
export type AuthenticatedCall = Pick<ServerReadableStream<unknown, unknown>, 'getAuthContext'>;

export interface EgressAuthorizationOptions {
  readonly folder: CertificateFolder;
  /** Namespace of controller and egresses. */
  readonly namespace: string;
  /** SPIFFE URIs instead of `spiffe://<own trust domain>/ns/<namespace>/sa/lazyscope-egress`. */
  readonly identities?: readonly string[];
}

/**
 * Who may open streams as an egress: what it reports becomes configuration, and what it is told is the whole mesh.
 * @returns a check that tells why a call is refused, or nothing
 */
export function egressAuthorization(
  options: EgressAuthorizationOptions,
): (call: AuthenticatedCall) => string | undefined {
  return (call) => {
    const shown = spiffeIdOf(call.getAuthContext().sslPeerCertificate?.subjectaltname)?.uri;
    const allowed = allowedIdentities(options);
    if (shown !== undefined && allowed.includes(shown)) return undefined;
    return `${shown ?? 'a client without a SPIFFE identity'} may not connect as an egress; allowed: ${allowed.join(', ')}`;
  };
}

function allowedIdentities({ folder, namespace, identities }: EgressAuthorizationOptions): readonly string[] {
  if (identities) return identities;
  const trustDomain = folder.current?.id.trustDomain;
  return trustDomain === undefined ? [] : [spiffeUri(trustDomain, namespace, 'lazyscope-egress')];
}
