/** A certificate authority that issues SPIFFE certificates as istiod does. */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './bed/command.ts';

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Contents of the files of `OUTPUT_CERTS`, in PEM. */
export interface IssuedCertificate {
  readonly key: string;
  readonly chain: string;
  readonly root: string;
}

export interface CertificateWishes {
  /** Days from now; a negative number is a certificate that has expired. Default 1. */
  readonly days?: number;
  /** Instead of the one URI. */
  readonly subjectAltName?: string;
}

export class TestAuthority {
  readonly #folder = mkdtempSync(join(tmpdir(), 'lazyscope-ca-'));

  constructor() {
    const extension = ['-addext', 'basicConstraints=critical,CA:TRUE'];
    this.#openssl('req', '-x509', ...EC_KEY, '-days', '2', '-subj', '/O=test', ...extension, ...this.#out('ca'));
  }

  get root(): string {
    return this.#read('ca.pem');
  }

  /** @param uri for example `spiffe://cluster.local/ns/shop/sa/cart` */
  issue(uri: string, { days = 1, subjectAltName = `URI:${uri}` }: CertificateWishes = {}): IssuedCertificate {
    const extensions = `subjectAltName=critical,${subjectAltName}\nextendedKeyUsage=serverAuth,clientAuth\n`;
    writeFileSync(join(this.#folder, 'extensions'), subjectAltName === '' ? '' : extensions);
    this.#openssl('req', '-new', ...EC_KEY, '-subj', '/', ...this.#out('leaf'));
    const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-extfile', 'extensions', '-days', `${days}`];
    this.#openssl('x509', '-req', '-in', 'leaf.pem', ...signer, '-out', 'signed.pem');
    return { key: this.#read('leaf.key'), chain: this.#read('signed.pem'), root: this.root };
  }

  destroy(): void {
    rmSync(this.#folder, { recursive: true });
  }

  #out(name: string): readonly string[] {
    return ['-keyout', `${name}.key`, '-out', `${name}.pem`];
  }

  #openssl(command: string, ...args: readonly string[]): void {
    run('env', [`--chdir=${this.#folder}`, 'openssl', command, ...args]);
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }
}

/** A folder as `OUTPUT_CERTS` names one. */
export class CertificateFiles {
  readonly path = mkdtempSync(join(tmpdir(), 'lazyscope-certificates-'));

  constructor(certificate?: Partial<IssuedCertificate>) {
    if (certificate) this.write(certificate);
  }

  /** Writes the given files as the agent does: each beside its place, then moved there. */
  write({ key, chain, root }: Partial<IssuedCertificate>): void {
    for (const [file, content] of Object.entries({ 'key.pem': key, 'cert-chain.pem': chain, 'root-cert.pem': root })) {
      if (content === undefined) continue;
      writeFileSync(join(this.path, `.${file}`), content);
      renameSync(join(this.path, `.${file}`), join(this.path, file));
    }
  }

  destroy(): void {
    rmSync(this.path, { recursive: true });
  }
}
