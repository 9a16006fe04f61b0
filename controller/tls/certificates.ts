import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { reasonOf } from '../core/error.ts';
import type { Timestamp } from '../core/model.ts';
import { type SpiffeId, spiffeIdOf } from './spiffe-id.ts';

/** What istio-agent writes where `OUTPUT_CERTS` says, and what it says. */
export interface Certificates {
  readonly key: Buffer;
  /** Own certificate first. PEM. */
  readonly chain: Buffer;
  /** Whom to trust. PEM, one certificate or several. */
  readonly root: Buffer;
  readonly id: SpiffeId;
  readonly validUntil: Timestamp;
}

/** The files of {@link Certificates}. */
export type CertificateFiles = Pick<Certificates, 'key' | 'chain' | 'root'>;

/**
 * Reads what can be checked without a peer.
 * @throws Error that says what is wrong: a file is no PEM, key and certificate are not a pair, there is no identity, or
 *   TLS would not take them, which servers would otherwise notice only when they are in use
 */
export function checkCertificates(files: CertificateFiles): Certificates {
  const own = named('cert-chain.pem', () => new X509Certificate(files.chain));
  const key = named('key.pem', () => createPrivateKey(files.key));
  named('root-cert.pem', () => new X509Certificate(files.root));
  if (!own.checkPrivateKey(key)) throw new Error('key.pem is not the key of cert-chain.pem');
  const id = spiffeIdOf(own.subjectAltName);
  if (!id) throw new Error('cert-chain.pem names no spiffe://<trust domain>/ns/<namespace>/sa/<service account>');
  tryInTls(files);
  return { ...files, id, validUntil: own.validToDate.getTime() };
}

function tryInTls({ key, chain, root }: CertificateFiles): void {
  try {
    createSecureContext({ key, cert: chain, ca: root });
  } catch (error) {
    throw new Error(`TLS cannot use the files: ${reasonOf(error)}`);
  }
}

function named<Value>(file: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file} is not readable as PEM: ${reasonOf(error)}`);
  }
}
