import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Cluster, connectCluster } from '../../../controller/k8s/cluster.ts';

/** A cluster whose API server is this one: for answers that a real one does not give. It ends with the test. */
export async function clusterOf(t: TestContext, apiServer: RequestListener): Promise<Cluster> {
  const server = createServer(apiServer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-config-'));
  t.after(() => {
    server.close();
    server.closeAllConnections();
    rmSync(folder, { recursive: true });
  });
  const kubeconfig = join(folder, 'config');
  const { port } = server.address() as AddressInfo;
  const clusters = [
    { name: 'here', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } },
  ];
  const contexts = [{ name: 'here', context: { cluster: 'here', user: 'me' } }];
  const users = [{ name: 'me', user: { token: 'mine' } }];
  writeFileSync(kubeconfig, JSON.stringify({ clusters, contexts, users, 'current-context': 'here' }));
  return connectCluster({ kubeconfig });
}
