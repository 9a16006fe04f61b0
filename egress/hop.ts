import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { CertificateFolder } from '../controller/tls/certificate-folder.ts';
import type { Certificates } from '../controller/tls/certificates.ts';
import { type SpiffeId, spiffeIdOf } from '../controller/tls/spiffe-id.ts';
import { type HopTrust, type IdentityRefusal, refuseIdentity } from './hop-identity.ts';

/** How long a sidecar may take over its handshake: it begins with the connection. */
const HANDSHAKE_TIMEOUT_MS = 5_000;
/**
 * By preference. `istio` comes first: sidecars offer it always and take it for "whatever the connection carries", while
 * the others would name a protocol, and `istio-peer-exchange` begins the connection with bytes of its own.
 */
const PROTOCOLS = ['istio', 'h2', 'http/1.1'];

export type HopRefusal =
  | IdentityRefusal
  /** Our own certificates have not come yet. */
  | 'NoCertificates'
  | 'TlsHandshakeFailed'
  | 'TlsHandshakeTimeout';

/** What becomes of a handshake; one of the two is called, once. */
export interface HandshakeOutcome {
  /** @param id of the sidecar, by its certificate */
  readonly onSecure: (socket: TLSSocket, id: SpiffeId | undefined) => void;
  readonly onRefused: (reason: HopRefusal, detail: string) => void;
}

interface Handshake extends HandshakeOutcome {
  readonly address: string;
  readonly end: () => void;
}

/** The egress's end of the mTLS between it and the sidecars. */
export class Hop {
  readonly #server: Server;
  readonly #certificates: CertificateFolder;
  readonly #trust: () => Omit<HopTrust, 'own'>;
  readonly #handshakes = new Map<string, Handshake>();

  /** @param trust asked for at each connection */
  constructor(certificates: CertificateFolder, trust: () => Omit<HopTrust, 'own'>) {
    this.#certificates = certificates;
    this.#trust = trust;
    // Never listens: connections come to it with their PROXY header read. A client that could not be verified gets this
    // far, since Node would end it without saying why; `#secured` turns it away.
    this.#server = createServer({ requestCert: true, rejectUnauthorized: false, ALPNProtocols: PROTOCOLS });
    this.#server.on('secureConnection', (socket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket) => this.#failed(socket, error.message));
    certificates.onChange((fresh) => this.#use(fresh));
    if (certificates.current) this.#use(certificates.current);
  }

  /** Handshakes that are under way. */
  get size(): number {
    return this.#handshakes.size;
  }

  /**
   * Does the handshake on a paused connection.
   * @param early what came behind the PROXY header already
   * @param address of the source, in canonical form
   */
  secure(transport: Socket, early: Buffer, address: string, outcome: HandshakeOutcome): void {
    if (!this.#certificates.current) {
      outcome.onRefused('NoCertificates', 'our own certificates have not come yet');
      return;
    }
    const key = connectionKey(transport);
    const timer = setTimeout(() => this.#refuse(key, 'TlsHandshakeTimeout', 'not done in time'), HANDSHAKE_TIMEOUT_MS);
    const onClose = (): void => this.#refuse(key, 'TlsHandshakeFailed', 'closed in the handshake');
    const end = (): void => {
      clearTimeout(timer);
      transport.off('close', onClose);
      this.#handshakes.delete(key);
    };
    transport.once('close', onClose);
    this.#handshakes.set(key, { ...outcome, address, end });
    if (early.length > 0) transport.unshift(early);
    this.#server.emit('connection', transport);
  }

  #use({ key, chain, root }: Certificates): void {
    this.#server.setSecureContext({ key, cert: chain, ca: root, secureOptions: constants.SSL_OP_NO_RENEGOTIATION });
  }

  #secured(socket: TLSSocket): void {
    const key = connectionKey(socket);
    const handshake = this.#handshakes.get(key);
    const own = this.#certificates.current?.id;
    if (!handshake || !own) {
      socket.destroy();
      return;
    }
    if (!socket.authorized) {
      this.#refuse(key, 'TlsHandshakeFailed', `its certificate: ${socket.authorizationError}`);
      return;
    }
    const shown = spiffeIdOf(socket.getPeerX509Certificate()?.subjectAltName);
    const refused = refuseIdentity(shown, handshake.address, { ...this.#trust(), own });
    if (refused) this.#refuse(key, refused.reason, refused.detail);
    else {
      handshake.end();
      handshake.onSecure(socket, shown);
    }
  }

  #failed(socket: TLSSocket, detail: string): void {
    this.#refuse(connectionKey(socket), 'TlsHandshakeFailed', detail);
  }

  #refuse(key: string, reason: HopRefusal, detail: string): void {
    const handshake = this.#handshakes.get(key);
    handshake?.end();
    handshake?.onRefused(reason, detail);
  }
}

/** Node hands over the secured socket without the one below; both tell the same four numbers. */
function connectionKey({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
