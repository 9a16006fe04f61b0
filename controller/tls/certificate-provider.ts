import type { experimental } from '@grpc/grpc-js';
import type { CertificateFolder } from './certificate-folder.ts';
import type { Certificates } from './certificates.ts';

type Update = (update: never) => void;

/**
 * A folder as gRPC's source of certificates. gRPC's own file watcher hands on whatever the files hold: a key that is
 * written already with a certificate that is not yet would end every handshake.
 */
export function certificateProvider(folder: CertificateFolder): experimental.CertificateProvider {
  const subscriptions = new Map<Update, () => void>();
  const subscribe = (listener: Update, tell: (certificates: Certificates) => void): void => {
    subscriptions.set(listener, folder.onChange(tell));
    // Never within the call: a server that is being made takes no notice of certificates yet.
    const now = (): void => {
      if (folder.current && subscriptions.has(listener)) tell(folder.current);
    };
    process.nextTick(now);
  };
  const unsubscribe = (listener: Update): void => {
    subscriptions.get(listener)?.();
    subscriptions.delete(listener);
  };
  return {
    addCaCertificateListener: (listener) => subscribe(listener, ({ root }) => listener({ caCertificate: root })),
    addIdentityCertificateListener: (listener) =>
      subscribe(listener, ({ key, chain }) => listener({ privateKey: key, certificate: chain })),
    removeCaCertificateListener: unsubscribe,
    removeIdentityCertificateListener: unsubscribe,
  };
}
