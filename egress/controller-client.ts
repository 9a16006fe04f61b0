import { Client, credentials } from '@grpc/grpc-js';
import { socketAddressText } from '../controller/core/socket-address.ts';
import type { CertificateFolder } from '../controller/tls/certificate-folder.ts';
import { channelCredentials, MUTUAL_TLS_CHANNEL_OPTIONS } from '../controller/tls/channel-credentials.ts';
import { spiffeUri } from '../controller/tls/spiffe-id.ts';
import type { EgressConfig } from './config.ts';
import { CHANNEL_OPTIONS } from './controller-stream.ts';

/** The one channel to the controller: under mTLS with certificates, else in clear. */
export function controllerClient(config: EgressConfig, certificates: CertificateFolder | undefined): Client {
  const address = socketAddressText(config.controller);
  if (!certificates) return new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
  const identity = (): string | undefined => controllerIdentity(config, certificates);
  const options = { ...CHANNEL_OPTIONS, ...MUTUAL_TLS_CHANNEL_OPTIONS };
  return new Client(address, channelCredentials(certificates, identity), options);
}

function controllerIdentity(config: EgressConfig, { current }: CertificateFolder): string | undefined {
  if (config.controllerIdentity !== undefined) return config.controllerIdentity;
  return current && spiffeUri(current.id.trustDomain, config.namespace, 'lazyscope-controller');
}
