import type { Endpoint, SocketAddress } from '../model.ts';
import { type Message, socketAddress } from './message.ts';

/**
 * The ready endpoints of a cluster. Sorted and without repetition, so that equal endpoints are equal bytes; without
 * any ready one it is an assignment without endpoints, which empties the cluster at once (leaving it out would not).
 */
export function loadAssignment(cluster: string, endpoints: readonly Endpoint[]): Message {
  return staticAssignment(
    cluster,
    endpoints.filter(({ ready }) => ready),
  );
}

/** Like {@link loadAssignment} for addresses that are configuration: sorted and without repetition too. */
export function staticAssignment(cluster: string, addresses: readonly SocketAddress[]): Message {
  const sorted = distinct([...addresses].sort(byAddress));
  if (sorted.length === 0) return { cluster_name: cluster };
  return {
    cluster_name: cluster,
    endpoints: [
      { lb_endpoints: sorted.map(({ address, port }) => ({ endpoint: { address: socketAddress(address, port) } })) },
    ],
  };
}

function byAddress(a: SocketAddress, b: SocketAddress): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.port - b.port;
}

function distinct(sorted: readonly SocketAddress[]): readonly SocketAddress[] {
  return sorted.filter((item, at) => {
    const before = sorted[at - 1];
    return before === undefined || byAddress(before, item) !== 0;
  });
}
