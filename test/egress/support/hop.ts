/** A relay whose hop is mTLS, and clients as sidecars are. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, type TestContext } from 'node:test';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { PodIdentity } from '../../../controller/core/pod-identity.ts';
import { CertificateFolder } from '../../../controller/tls/certificate-folder.ts';
import { Hop } from '../../../egress/hop.ts';
import { IdentityTable } from '../../../egress/identity-table.ts';
import { CertificateFiles, type IssuedCertificate, TestAuthority } from '../../support/test-authority.ts';
import { proxyHeader } from './proxy-header.ts';
import { startRelay, type TestRelay, type TestRelayOptions } from './relay.ts';

export const EGRESS = 'spiffe://cluster.local/ns/lazyscope/sa/lazyscope-egress';
export const CART = 'spiffe://cluster.local/ns/shop/sa/cart';

/** An authority for the tests of one file. */
export function testAuthority(): TestAuthority {
  const authority = new TestAuthority();
  after(() => authority.destroy());
  return authority;
}

export interface TestHop extends TestRelay {
  readonly files: CertificateFiles;
  readonly folder: CertificateFolder;
  readonly hop: Hop;
  /** Begins a connection to a destination as the sidecar with this certificate does; the handshake is under way. */
  dial(
    destination: TestDestination,
    certificate: Partial<IssuedCertificate>,
    tls?: ConnectionOptions,
  ): Promise<TLSSocket>;
}

type TestDestination = Parameters<TestRelay['connect']>[0];

export interface TestHopOptions extends Omit<TestRelayOptions, 'identities'> {
  readonly certificate: Partial<IssuedCertificate>;
  readonly trustDomainAliases?: readonly string[];
  readonly identities?: readonly PodIdentity[];
}

export async function startHop(t: TestContext, options: TestHopOptions): Promise<TestHop> {
  const { certificate, trustDomainAliases = [] } = options;
  const files = new CertificateFiles(certificate);
  const folder = new CertificateFolder({ path: files.path, onProblem: () => {}, intervalMs: 5 });
  const identities = new IdentityTable();
  for (const [number, identity] of (options.identities ?? []).entries()) identities.set(`${number}`, identity);
  const hop = new Hop(folder, () => ({ trustDomainAliases, identities }));
  await folder.start();
  const relay = await startRelay(t, { mode: 'istio', ...options, identities, hop });
  t.after(() => {
    folder.stop();
    files.destroy();
  });
  return {
    ...relay,
    files,
    folder,
    hop,
    dial: async (destination, shown, tls) => handshake(await relay.connect(destination), shown, tls),
  };
}

/** A client's end of the handshake, as Envoy's ISTIO_MUTUAL: it knows the root and asks for no name. */
export function handshake(socket: Socket, shown: Partial<IssuedCertificate>, tls: ConnectionOptions = {}): TLSSocket {
  const { key, chain, root } = shown;
  const client = connectTls({
    socket,
    ...(key === undefined ? {} : { key }),
    ...(chain === undefined ? {} : { cert: chain }),
    ...(root === undefined ? {} : { ca: root }),
    checkServerIdentity: () => undefined,
    ALPNProtocols: ['istio-peer-exchange', 'istio'],
    ...tls,
  });
  client.on('error', () => {});
  return client;
}

/** Resolves when the client's end of the handshake is done. */
export async function secured(client: TLSSocket): Promise<TLSSocket> {
  await once(client, 'secureConnect');
  return client;
}

/** The header of a connection from loopback. */
export function headerFor(socket: Socket, destination: TestDestination): Buffer {
  return proxyHeader({ address: '127.0.0.1', port: socket.localPort ?? 0 }, destination);
}
