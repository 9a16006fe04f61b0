/** One service port as an egress knows it: the metadata of a cluster in the egress's routing table. */
import type { PortProtocol } from './model.ts';

/** Namespace of `metadata.filter_metadata` that carries {@link RelayTarget}. */
export const METADATA_NAMESPACE = 'lazyscope.io/relay';

export interface RelayTarget {
  /** `namespace/host`. */
  readonly service: string;
  readonly port: number;
  readonly protocol: PortProtocol;
  /** Empty for headless services: their pods' addresses are dialled as they are. */
  readonly clusterIPs: readonly string[];
  /** Every name that means this service whatever namespace asks: FQDN, `svc.ns`, `svc.ns.svc`. Lower case, no port. */
  readonly hosts: readonly string[];
  readonly headless: boolean;
  /** Whether the egress may carry traffic to it. */
  readonly relayable: boolean;
}
