import type { SocketAddress } from '../../../controller/core/model.ts';
import { bootstrap } from '../../../controller/core/resources/bootstrap.ts';
import type { Bed } from './bed.ts';
import type { Pod } from './pod.ts';
import { CONTROLLER_GRPC_PORT } from './ports.ts';

/** What a controller would print for a pod, for pods that no controller knows when they start. */
export function staticBootstrap(bed: Bed, pod: Pod, egress: SocketAddress): object {
  const { namespace, address, name } = pod;
  const domain = `${namespace}.svc.cluster.local`;
  return bootstrap({
    node: {
      id: `sidecar~${address}~${name}.${namespace}~${domain}`,
      kind: 'sidecar',
      address,
      pod: name,
      namespace,
      domain,
    },
    workload: pod.deployment,
    controller: { address: bed.network.hostAddress, port: CONTROLLER_GRPC_PORT },
    egress: [egress],
    admin: { address: '127.0.0.1', port: 15000 },
  });
}
