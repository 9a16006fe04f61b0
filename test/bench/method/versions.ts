import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { envoyBinary } from '../../support/bed/envoy.ts';

/** What was measured: our version, Node's and Envoy's. */
export function versions(): Record<string, string> {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  const envoy = /\/(\d+\.\d+\.\d+)\//.exec(execFileSync(envoyBinary(), ['--version'], { encoding: 'utf8' }));
  return { lazyscope: manifest.version, node: process.versions.node, envoy: envoy?.[1] ?? 'unknown' };
}
