import { type ChannelCredentials, experimental } from '@grpc/grpc-js';
import type { CertificateFolder } from './certificate-folder.ts';
import { certificateProvider } from './certificate-provider.ts';
import { spiffeIdOf } from './spiffe-id.ts';

/**
 * A channel's options beside {@link channelCredentials}: who serves is known by its identity, so no name of a host is
 * asked for in the handshake, where an address would not be allowed.
 */
export const MUTUAL_TLS_CHANNEL_OPTIONS = { 'grpc.ssl_target_name_override': 'lazyscope-controller' } as const;

/**
 * mTLS for a gRPC channel. New certificates count for connections to come; until the folder has any, none is opened.
 * @param identity SPIFFE URI of the server, asked for at each connection; with `undefined` nobody is trusted
 */
export function channelCredentials(folder: CertificateFolder, identity: () => string | undefined): ChannelCredentials {
  const provider = certificateProvider(folder);
  return experimental.createCertificateProviderChannelCredentials(provider, provider, {
    checkServerIdentity: (_host, { subjectaltname }) => {
      const expected = identity();
      const shown = spiffeIdOf(subjectaltname)?.uri;
      if (expected !== undefined && shown === expected) return undefined;
      return new Error(`the server is ${shown ?? 'without a SPIFFE identity'}, not ${expected ?? 'known yet'}`);
    },
  });
}

/** mTLS for a gRPC channel to a server that is known by the name in its certificate, as istiod is. */
export function namedServerCredentials(folder: CertificateFolder): ChannelCredentials {
  const provider = certificateProvider(folder);
  return experimental.createCertificateProviderChannelCredentials(provider, provider);
}
