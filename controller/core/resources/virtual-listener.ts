/** The two listeners that iptables redirects to. Static in the bootstrap: a pod works before it has met a controller. */
import { type Message, socketAddress } from './message.ts';
import { BLACK_HOLE_CLUSTER, EGRESS_CLUSTER, INBOUND_CLUSTER, INBOUND_PORT, OUTBOUND_PORT } from './names.ts';
import { tcpProxy } from './tcp-proxy.ts';

interface VirtualListener {
  readonly name: string;
  readonly port: number;
  readonly direction: 'INBOUND' | 'OUTBOUND';
  /** Where connections go whose original destination has no listener. */
  readonly cluster: string;
}

/**
 * No listener filters: `use_original_dst` restores the destination after them, so an inspector that times out would
 * leave server-first connections in the black hole.
 */
function virtualListener({ name, port, direction, cluster }: VirtualListener): Message {
  return {
    name,
    address: socketAddress('0.0.0.0', port),
    use_original_dst: true,
    traffic_direction: direction,
    filter_chains: [
      {
        // Dialled directly, not redirected: passing it on would come back here for ever.
        filter_chain_match: { destination_port: port },
        name: `${name}-blackhole`,
        filters: [tcpProxy(BLACK_HOLE_CLUSTER)],
      },
      { name: `${name}-catchall-tcp`, filters: [tcpProxy(cluster)] },
    ],
  };
}

/** What the application dials: to the listener of its destination, else to the egress. */
export function virtualOutbound(): Message {
  return virtualListener({
    name: 'virtualOutbound',
    port: OUTBOUND_PORT,
    direction: 'OUTBOUND',
    cluster: EGRESS_CLUSTER,
  });
}

/** What dials the pod: to the application, byte for byte. */
export function virtualInbound(): Message {
  return virtualListener({
    name: 'virtualInbound',
    port: INBOUND_PORT,
    direction: 'INBOUND',
    cluster: INBOUND_CLUSTER,
  });
}
