/** Node's own TLS server, that is OpenSSL, as a second opinion on hellos. */
import { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import { TestAuthority } from '../../support/test-authority.ts';

const ALERT_RECORD = 21;
/** Turns of the event loop in which a server answers what is complete. */
const TURNS = 10;

export type HelloVerdict =
  | { readonly kind: 'Accepted'; readonly serverName?: string }
  | { readonly kind: 'Refused' }
  /** More is waited for. */
  | { readonly kind: 'Silence' };

export class TlsServer {
  readonly #context: SecureContext;

  constructor() {
    const authority = new TestAuthority();
    const { key, chain } = authority.issue('spiffe://cluster.local/ns/test/sa/test');
    authority.destroy();
    this.#context = createSecureContext({ key, cert: chain, minVersion: 'TLSv1' });
  }

  /** What it makes of a connection that begins so. */
  async judge(bytes: Buffer): Promise<HelloVerdict> {
    let verdict: HelloVerdict | undefined;
    const conclude = (found: HelloVerdict): void => {
      verdict ??= found;
    };
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        conclude(chunk[0] === ALERT_RECORD ? { kind: 'Refused' } : { kind: 'Accepted' });
        done();
      },
    });
    const socket = new TLSSocket(wire, {
      isServer: true,
      secureContext: this.#context,
      SNICallback: (serverName, done) => {
        conclude({ kind: 'Accepted', serverName });
        done(null, this.#context);
      },
    });
    socket.on('error', () => conclude({ kind: 'Refused' }));
    socket.on('close', () => conclude({ kind: 'Refused' }));
    wire.push(bytes);
    for (let turn = 0; turn < TURNS && !verdict; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    wire.destroy();
    return verdict ?? { kind: 'Silence' };
  }
}
