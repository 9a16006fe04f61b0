/** The store of the API server. */

import type { Bed } from '../../support/bed/bed.ts';
import { answers } from '../../support/bed/http-get.ts';
import { toolsPath } from '../servers/build-environment.ts';
import { MeshServer } from './mesh-server.ts';
import { ETCD_PEER_PORT, ETCD_PORT, loopbackAddress } from './ports.ts';

/** Where the API server finds it. */
export function etcdUrl(bed: Bed): string {
  return `http://${loopbackAddress(bed.network)}:${ETCD_PORT}`;
}

/** Not started yet. Its data lie in the bed's folder, and go with it. */
export function etcd(bed: Bed): MeshServer {
  const url = etcdUrl(bed);
  const peerUrl = `http://${loopbackAddress(bed.network)}:${ETCD_PEER_PORT}`;
  const flags = {
    'data-dir': bed.folder('etcd'),
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
  };
  return new MeshServer(bed, {
    name: 'etcd',
    command: ['etcd', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
    environment: { PATH: toolsPath() },
    isReady: () => answers(`${url}/health`),
  });
}
