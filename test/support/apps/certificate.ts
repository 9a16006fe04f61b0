import { join } from 'node:path';
import { run } from '../bed/command.ts';

/** Makes a key and a self-signed certificate that is valid for a day; returns the two files. */
export function makeCertificate(
  folder: string,
  commonName: string,
): { readonly key: string; readonly certificate: string } {
  const key = join(folder, 'key.pem');
  const certificate = join(folder, 'certificate.pem');
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  run('openssl', ['req', ...kind, '-subj', `/CN=${commonName}`, '-keyout', key, '-out', certificate]);
  return { key, certificate };
}
