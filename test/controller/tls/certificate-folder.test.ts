import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { Problem } from '../../../controller/core/ports.ts';
import { CertificateFolder } from '../../../controller/tls/certificate-folder.ts';
import { eventually } from '../../support/eventually.ts';
import { CertificateFiles, type IssuedCertificate, TestAuthority } from '../../support/test-authority.ts';

const CART = 'spiffe://cluster.local/ns/shop/sa/cart';
const authority = new TestAuthority();
after(() => authority.destroy());
const [first, second] = [authority.issue(CART), authority.issue(CART)];

interface Watched {
  readonly files: CertificateFiles;
  readonly folder: CertificateFolder;
  readonly problems: Problem[];
  /** Chains of the certificates that were told. */
  readonly told: string[];
}

async function watch(t: TestContext, content: Partial<IssuedCertificate>): Promise<Watched> {
  const files = new CertificateFiles(content);
  const problems: Problem[] = [];
  const told: string[] = [];
  const onProblem = (problem: Problem): void => void problems.push(problem);
  const folder = new CertificateFolder({ path: files.path, onProblem, intervalMs: 5 });
  folder.onChange(({ chain }) => told.push(chain.toString()));
  t.after(() => {
    folder.stop();
    files.destroy();
  });
  await folder.start();
  return { files, folder, problems, told };
}

test('what the folder holds at start is read at once, with identity and expiry', async (t) => {
  const { folder, problems } = await watch(t, first);
  assert.equal(folder.current?.id.uri, CART);
  const left = (folder.current?.validUntil ?? 0) - Date.now();
  assert.ok(left > 23 * 3_600_000 && left < 25 * 3_600_000, `${left} ms`);
  const { ok, degraded, detail } = folder.status(Date.now());
  assert.deepEqual([ok, degraded], [true, false]);
  assert.match(detail, /^spiffe:\/\/cluster.local\/ns\/shop\/sa\/cart is valid until 20/);
  assert.deepEqual(problems, []);
});

test('files that come later are waited for, and named while they are missing', async (t) => {
  const { files, folder, problems, told } = await watch(t, {});
  assert.equal(folder.current, undefined);
  assert.match(folder.status(0).detail, /^none yet; .*key\.pem/);
  await eventually('the problem is told', () => problems.length > 0);
  files.write(first);
  await eventually('the certificates are told', () => told.length > 0);
  assert.equal(folder.status(Date.now()).ok, true);
  assert.equal(problems.length, 1, 'once');
  assert.match(problems[0]?.reason ?? '', /there are no certificates$/);
});

test('a half written pair leaves the last good one in place until the other half is there', async (t) => {
  const { files, folder, told } = await watch(t, first);
  files.write({ key: second.key });
  await eventually('the fault is seen', () => folder.status(0).degraded);
  assert.equal(folder.current?.chain.toString(), first.chain);
  assert.match(folder.status(Date.now()).detail, /key\.pem is not the key of cert-chain\.pem$/);
  assert.equal(folder.status(Date.now()).ok, true);
  files.write({ chain: second.chain });
  await eventually('the new pair is told', () => told.length === 2);
  assert.equal(folder.current?.chain.toString(), second.chain);
  assert.equal(folder.status(Date.now()).degraded, false);
});

test('files that stay as they are are told once', async (t) => {
  const { files, told } = await watch(t, first);
  files.write(first);
  files.write(second);
  await eventually('the new pair is told', () => told.length > 1);
  assert.deepEqual(told, [first.chain, second.chain]);
});

const BROKEN = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';

const FAULTS: readonly (readonly [string, Partial<IssuedCertificate>, RegExp])[] = [
  ['a key that is no PEM', { key: 'nothing' }, /^key\.pem is not readable as PEM: /],
  ['a certificate that is no PEM', { chain: 'nothing' }, /^cert-chain\.pem is not readable as PEM: /],
  ['a root that is no PEM', { root: '' }, /^root-cert\.pem is not readable as PEM: /],
  ['a chain that breaks off', { chain: first.chain + BROKEN }, /^TLS cannot use the files: /],
  [
    'a certificate without identity',
    authority.issue('', { subjectAltName: 'DNS:cart.shop' }),
    /^cert-chain\.pem names no spiffe:/,
  ],
];

for (const [what, content, reason] of FAULTS) {
  test(`${what} is named once, and the last good certificates stay`, async (t) => {
    const { files, folder, problems } = await watch(t, first);
    files.write(content);
    await eventually('the problem is told', () => problems.length > 0);
    files.write({ key: first.key, chain: first.chain, root: first.root });
    await eventually('it is over', () => !folder.status(0).degraded);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.reason ?? '', reason);
    assert.match(problems[0]?.reason ?? '', /; the last good certificates stay$/);
  });
}

test('a file that has gone is named, and the last good certificates stay', async (t) => {
  const { files, folder } = await watch(t, first);
  rmSync(join(files.path, 'root-cert.pem'));
  await eventually('the fault is seen', () => folder.status(0).degraded);
  assert.equal(folder.current?.chain.toString(), first.chain);
});

test('an expired certificate is not in order, and says since when', async (t) => {
  const { folder } = await watch(t, authority.issue(CART, { days: -1 }));
  const { ok, detail } = folder.status(Date.now());
  assert.equal(ok, false);
  assert.match(detail, /has expired 20\d\d-/);
});
