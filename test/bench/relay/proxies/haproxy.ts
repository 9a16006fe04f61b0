/** HAProxy with one thread, in TCP mode: https://docs.haproxy.org/2.6/configuration.html */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { socketAddressText } from '../../../../controller/core/socket-address.ts';
import type { Place } from './place.ts';

/** @returns the command that runs it in the foreground */
export function haproxy({ listen, origin, folder }: Place): readonly string[] {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 8000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen relay
  bind ${socketAddressText(listen)} accept-proxy
  server origin ${socketAddressText(origin)}
`,
  );
  return ['haproxy', '-db', '-f', file];
}
