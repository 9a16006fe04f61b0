/** The Go programs that we are measured beside, and those that load both sides. */
import { join } from 'node:path';
import { builtServers } from '../../mesh/servers/server-cache.ts';
import type { ServerModule } from '../../mesh/servers/server-module.ts';

const PROGRAMS = ['xds-server', 'xds-clients', 'log-receiver', 'log-sender'] as const;
type Peer = (typeof PROGRAMS)[number];

const module: ServerModule = {
  name: 'bench-peers',
  folder: import.meta.dirname,
  packages: PROGRAMS.map((name) => `./${name}`),
  tags: [],
  variables: {},
  files: [],
};

/** Where the program is, built now if it is not yet. */
export async function peer(name: Peer): Promise<string> {
  return join(await builtServers(module), name);
}
