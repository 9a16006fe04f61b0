/** Whom the hop turns away, each with its reason. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { parseSpiffeUri } from '../../controller/tls/spiffe-id.ts';
import { refuseIdentity } from '../../egress/hop-identity.ts';
import { IdentityTable } from '../../egress/identity-table.ts';
import type { IssuedCertificate } from '../support/test-authority.ts';
import { CART, EGRESS, handshake, startHop, type TestHopOptions, testAuthority } from './support/hop.ts';
import { Reading } from './support/reading.ts';
import { startServer } from './support/relay.ts';
import { until } from './support/until.ts';

const authority = testAuthority();
const stranger = testAuthority();
const egress = authority.issue(EGRESS);
const cart = authority.issue(CART);
const { root } = authority;
const FOREIGN = 'spiffe://other.example/ns/shop/sa/cart';
const WEB_LIVES_HERE = [{ namespace: 'shop', serviceAccount: 'web', addresses: ['127.0.0.1'] }];

interface Peer {
  readonly shown: Partial<IssuedCertificate>;
  readonly tls?: ConnectionOptions;
  readonly hop?: Partial<TestHopOptions>;
  readonly reason: string;
}

const PEERS: Record<string, Peer> = {
  'no certificate': { shown: { root }, reason: 'TlsHandshakeFailed' },
  'a certificate of another authority': { shown: { ...stranger.issue(CART), root }, reason: 'TlsHandshakeFailed' },
  'a certificate that has expired': { shown: authority.issue(CART, { days: -1 }), reason: 'TlsHandshakeFailed' },
  'no protocol that we speak': { shown: cart, tls: { ALPNProtocols: ['smtp'] }, reason: 'TlsHandshakeFailed' },
  'TLS 1.1': { shown: cart, tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }, reason: 'TlsHandshakeFailed' },
  'a certificate without identity': {
    shown: authority.issue('', { subjectAltName: 'DNS:cart.shop' }),
    reason: 'NoIdentity',
  },
  'an identity of another trust domain': { shown: authority.issue(FOREIGN), reason: 'ForeignTrustDomain' },
  "another pod's address": { shown: cart, hop: { identities: WEB_LIVES_HERE }, reason: 'IdentityMismatch' },
  'the identity of an egress': { shown: egress, reason: 'Loop' },
};

for (const [name, { shown, tls, hop: options, reason }] of Object.entries(PEERS)) {
  test(`a client with ${name} is refused as ${reason}, and nothing is dialled for it`, async (t) => {
    const server = await startServer(t, () => assert.fail('dialled'));
    const hop = await startHop(t, { certificate: egress, ...options });
    const client = await hop.dial(server, shown, tls);
    client.write('GET / HTTP/1.1\r\n\r\n');
    await new Reading(client).over();
    await until(() => hop.refusals.length > 0 && hop.limits.open === 0);
    assert.deepEqual(hop.refusals, [reason]);
    assert.equal(hop.report.hasNews, false, 'nothing of it is reported');
    assert.equal(hop.hop.size, 0);
  });
}

const SERVED: Record<string, Partial<TestHopOptions> & { readonly shown?: Partial<IssuedCertificate> }> = {
  'at an address that nobody is known by': { identities: [] },
  'at the address of its pod': {
    identities: [{ namespace: 'shop', serviceAccount: 'cart', addresses: ['10.0.0.1', '127.0.0.1'] }],
  },
  'while it replaces another pod at the address': {
    identities: [...WEB_LIVES_HERE, { namespace: 'shop', serviceAccount: 'cart', addresses: ['127.0.0.1'] }],
  },
  'of a trust domain that is another name of ours': {
    shown: authority.issue(FOREIGN),
    trustDomainAliases: ['other.example'],
  },
};

for (const [name, { shown = cart, ...options }] of Object.entries(SERVED)) {
  test(`a client ${name} is served`, async (t) => {
    const echo = await startServer(t, (socket) => socket.pipe(socket));
    const hop = await startHop(t, { certificate: egress, ...options });
    const client = await hop.dial(echo, shown);
    client.write('hello');
    await new Reading(client).until('hello');
    assert.deepEqual(hop.refusals, []);
  });
}

test('a client in clear is refused', async (t) => {
  const hop = await startHop(t, { certificate: egress });
  const socket = await hop.connect({ address: '127.0.0.1', port: 9 });
  socket.write('GET / HTTP/1.1\r\nHost: web\r\n\r\n');
  await new Reading(socket).over();
  assert.deepEqual(hop.refusals, ['TlsHandshakeFailed']);
});

test('a handshake that does not come is not waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hop = await startHop(t, { certificate: egress });
  const socket = await hop.connect({ address: '127.0.0.1', port: 9 });
  const reading = new Reading(socket);
  await until(() => hop.hop.size > 0);
  t.mock.timers.tick(5_000);
  await reading.over();
  assert.deepEqual(hop.refusals, ['TlsHandshakeTimeout']);
  await until(() => hop.limits.open === 0);
});

test('a client that leaves in its handshake is counted, and its place is free again', async (t) => {
  const hop = await startHop(t, { certificate: egress });
  const socket = await hop.connect({ address: '127.0.0.1', port: 9 });
  await until(() => hop.hop.size > 0);
  socket.resetAndDestroy();
  await until(() => hop.limits.open === 0);
  assert.deepEqual([hop.refusals, hop.hop.size], [['TlsHandshakeFailed'], 0]);
});

test('while we have no certificates nobody is let in, and then everybody', async (t) => {
  const echo = await startServer(t, (socket) => socket.pipe(socket));
  const hop = await startHop(t, { certificate: {} });
  await new Reading(await hop.dial(echo, cart)).over();
  assert.deepEqual(hop.refusals, ['NoCertificates']);
  hop.files.write(egress);
  await until(() => hop.folder.current !== undefined);
  const client = await hop.dial(echo, cart);
  client.write('hello');
  await new Reading(client).until('hello');
});

test('draining ends handshakes that are under way', async (t) => {
  const hop = await startHop(t, { certificate: egress });
  const client = handshake(await hop.connect({ address: '127.0.0.1', port: 9 }), cart);
  const silent = await hop.connect({ address: '127.0.0.1', port: 9 });
  const readings = [new Reading(client), new Reading(silent)];
  await until(() => hop.hop.size > 0);
  await hop.relay.drain(0);
  await Promise.all(readings.map((reading) => reading.over()));
  await until(() => hop.limits.open === 0);
});

test('what is refused says whom it expected', () => {
  const identities = new IdentityTable();
  identities.set('web', { namespace: 'shop', serviceAccount: 'web', addresses: ['10.0.0.1'] });
  const [own, shown] = [parseSpiffeUri(EGRESS), parseSpiffeUri(CART)];
  assert.ok(own);
  assert.deepEqual(refuseIdentity(shown, '10.0.0.1', { own, trustDomainAliases: [], identities }), {
    reason: 'IdentityMismatch',
    detail: `it is ${CART}, and 10.0.0.1 belongs to ns/shop/sa/web`,
  });
});
