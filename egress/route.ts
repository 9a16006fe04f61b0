/** Where a connection goes: pure decisions. */
import { isHttp, type SocketAddress, type WireProtocol } from '../controller/core/model.ts';
import type { RelayTarget } from '../controller/core/relay-target.ts';
import type { RoutingView, TableEntry } from './routing-table.ts';

/** What is known of a connection by its first bytes. */
export interface Sight {
  readonly protocol: WireProtocol;
  /** Host of the HTTP/1 request as it was sent; empty where the request has none. */
  readonly host?: string;
  readonly serverName?: string;
}

/** Why a connection goes where it goes, or nowhere. */
type RouteReason =
  /** The HTTP/1 Host names the service. */
  | 'Host'
  /** The TLS server name does. */
  | 'ServerName'
  /** The original address is the service's. */
  | 'ClusterIP'
  /** The service has no ClusterIP, its endpoints were never told, or a sidecar knows them: the client's own choice stands. */
  | 'OriginalOfService'
  /** No service is meant. */
  | 'Unregistered';

/** Why a destination is not dialled. */
type RouteRefusal = 'NeverRelayed' | 'NotRelayable' | 'NoReadyEndpoint';

export type Route =
  | {
      readonly kind: 'Dial';
      readonly service?: RelayTarget;
      /** Any of them will do. Never empty. */
      readonly candidates: readonly SocketAddress[];
      readonly reason: RouteReason;
    }
  | { readonly kind: 'Refuse'; readonly service?: RelayTarget; readonly reason: RouteRefusal };

/** What routing depends on besides the connection. */
export interface RoutingContext {
  readonly table: RoutingView;
  /** Loopback, the egress itself and the like. */
  readonly isNeverRelayed: (destination: SocketAddress) => boolean;
}

/**
 * Whether to wait for the first bytes before dialling. A port declared TCP or TLS may carry a protocol in which the
 * server speaks first, so does an unknown one; only where HTTP is to be expected can the Host matter.
 */
export function looksBeforeDialling(original: SocketAddress, table: RoutingView): boolean {
  const service = table.byAddress(original)?.target;
  return service ? isHttp(service.protocol) : table.isHttpPort(original.port);
}

/**
 * Whether a Host can say more than the original address. On a port that is declared TCP it decides nothing, so it must not
 * be reported: another service of that name may be HTTP on the same port number.
 */
export function hostCounts(original: SocketAddress, mode: 'direct' | 'istio', table: RoutingView): boolean {
  const service = table.byAddress(original)?.target;
  if (!service || mode === 'direct') return !service;
  return isHttp(service.protocol) || service.protocol === 'Auto';
}

/** Decides for a connection whose way a sidecar of ours finds, whatever the connection carries. */
export function routeAsDialled(original: SocketAddress, { table, isNeverRelayed }: RoutingContext): Route {
  if (isNeverRelayed(original)) return { kind: 'Refuse', reason: 'NeverRelayed' };
  const service = table.byAddress(original)?.target;
  if (!service) return { kind: 'Dial', candidates: [original], reason: 'Unregistered' };
  if (!service.relayable) return { kind: 'Refuse', service, reason: 'NotRelayable' };
  return { kind: 'Dial', service, candidates: [original], reason: 'OriginalOfService' };
}

/** Decides for a connection, or for a later request on it. `sight` is what its client has sent, if anything. */
export function route(original: SocketAddress, sight: Sight | undefined, context: RoutingContext): Route {
  if (context.isNeverRelayed(original)) return { kind: 'Refuse', reason: 'NeverRelayed' };
  const addressed = context.table.byAddress(original);
  const named = byHost(original, addressed, sight, context.table);
  if (named) return toService(named, 'Host', original);
  if (addressed) return toService(addressed, 'ClusterIP', original);
  const byServerName = sight?.serverName ? context.table.byHost(sight.serverName, original.port) : undefined;
  if (byServerName?.target.protocol === 'TLS') return toService(byServerName, 'ServerName', original);
  return { kind: 'Dial', candidates: [original], reason: 'Unregistered' };
}

/** A Host counts where a sidecar would obey it too: on a port that is HTTP for both services. */
function byHost(
  { port }: SocketAddress,
  addressed: TableEntry | undefined,
  sight: Sight | undefined,
  table: RoutingView,
): TableEntry | undefined {
  if (sight?.protocol !== 'HTTP1' || !sight.host) return undefined;
  if (addressed && !isHttp(addressed.target.protocol)) return undefined;
  const named = table.byHost(sight.host, port);
  return named && isHttp(named.target.protocol) ? named : undefined;
}

function toService(entry: TableEntry, reason: RouteReason, original: SocketAddress): Route {
  const service = entry.target;
  if (!service.relayable) return { kind: 'Refuse', service, reason: 'NotRelayable' };
  if (service.headless || entry.endpoints === undefined) {
    return { kind: 'Dial', service, candidates: [original], reason: 'OriginalOfService' };
  }
  if (entry.endpoints.length === 0) return { kind: 'Refuse', service, reason: 'NoReadyEndpoint' };
  return { kind: 'Dial', service, candidates: entry.endpoints, reason };
}
