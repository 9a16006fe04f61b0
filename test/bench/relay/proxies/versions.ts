/** Versions of the proxies that are measured beside ours. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { toolsPath } from '../../../mesh/servers/build-environment.ts';

export function proxyVersions(): Record<string, string> {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../../../../node_modules/http-proxy/package.json', import.meta.url), 'utf8'),
  );
  return { haproxy: versionOf('haproxy'), nginx: versionOf('nginx'), 'http-proxy': manifest.version };
}

/** nginx says it on standard error. */
function versionOf(command: string): string {
  const { stdout, stderr } = spawnSync(command, ['-v'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: toolsPath() },
  });
  return /\d+\.\d+\.\d+/.exec(stdout + stderr)?.[0] ?? 'unknown';
}
