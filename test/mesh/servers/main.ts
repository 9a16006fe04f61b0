/** Builds the real servers of the mesh bed, one after the other, where the cache lacks them. */

import { builtServers } from './server-cache.ts';
import { istio, kubeApiServer } from './server-module.ts';

try {
  for (const module of [kubeApiServer, istio]) await builtServers(module);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
