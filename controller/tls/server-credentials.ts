import { experimental, type ServerCredentials } from '@grpc/grpc-js';
import type { CertificateFolder } from './certificate-folder.ts';
import { certificateProvider } from './certificate-provider.ts';

/**
 * mTLS for a gRPC server: clients must show a certificate of the folder's root. New certificates count for connections
 * to come; until the folder has any, none is accepted.
 */
export function serverCredentials(folder: CertificateFolder): ServerCredentials {
  const provider = certificateProvider(folder);
  return experimental.createCertificateProviderServerCredentials(provider, provider, true);
}
