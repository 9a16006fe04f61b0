import { readFileSync } from 'node:fs';
import type { EnvoyAdmin } from '../support/bed/envoy-admin.ts';

/** What was measured: our version, Node's, and that of the Envoy behind this admin interface. */
export async function versions(admin: EnvoyAdmin): Promise<Record<string, string>> {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const info: { readonly version: string } = JSON.parse(await admin.get('/server_info'));
  return {
    lazyscope: manifest.version,
    node: process.versions.node,
    envoy: info.version.split('/')[1] ?? info.version,
  };
}
