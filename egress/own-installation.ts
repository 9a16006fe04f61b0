import type { SocketAddress } from '../controller/core/model.ts';
import type { IdentityView } from './identity-table.ts';
import type { RoutingView } from './routing-table.ts';

/** Where Envoy and istio-agent listen in every pod with a sidecar. */
export const SIDECAR_PORTS: readonly number[] = [15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053, 15090];

export interface Installation {
  /** Of controller and egresses. */
  readonly namespace: string;
  readonly table: RoutingView;
  readonly identities: IdentityView;
}

/**
 * Whether a destination belongs to Lazyscope itself. Our own sidecar would bring what is relayed there with our identity:
 * an egress would relay it for ever, and the controller take it for an egress's.
 */
export function isOwnInstallation(destination: SocketAddress, { namespace, table, identities }: Installation): boolean {
  const service = table.byAddress(destination)?.target.service ?? '';
  if (service.startsWith(`${namespace}/`)) return true;
  return identities.of(destination.address).some((workload) => workload.startsWith(`ns/${namespace}/`));
}
