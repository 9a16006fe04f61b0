import { isHttp, type SocketAddress } from '../controller/core/model.ts';
import { namespaceOf } from '../controller/tls/spiffe-id.ts';
import type { Admitted } from './door.ts';
import type { IdentityView } from './identity-table.ts';
import type { RoutingView } from './routing-table.ts';

/** The name to use in place of an authority (Host or `:authority`); `undefined` where that stays as it is. */
export type Complete = (authority: string) => string | undefined;

/** A service, or a pod of a headless one; then perhaps a port. Longer names say their namespace. */
const SHORT_NAME = /^([a-z0-9-]{1,63})(?:\.([a-z0-9-]{1,63}))?(:\d{1,5})?$/i;

/**
 * Completes names that mean a service in the caller's namespace alone, `cart` to `cart.shop` and `back-0.hl` to
 * `back-0.hl.shop`. The sidecar of the egress is in a namespace of its own, where such a name is unknown: it would pass
 * the request on as it came, without mTLS and without the rules that Istio has for the service.
 * @param namespace of the caller
 * @returns nothing where the sidecar does not look at names: they count on ports that are declared HTTP
 */
export function nameCompletion(
  destination: SocketAddress,
  namespace: string | undefined,
  table: RoutingView,
): Complete | undefined {
  const { port } = destination;
  const addressed = table.byAddress(destination)?.target;
  const isRoutedByName = addressed ? isHttp(addressed.protocol) : table.isHttpPort(port);
  if (namespace === undefined || !isRoutedByName) return undefined;
  return (authority) => {
    const [, first, second, portText = ''] = SHORT_NAME.exec(authority) ?? [];
    // A name of two words may be that of a service and its namespace, which goes first.
    if (first === undefined || table.byHost(authority, port)) return undefined;
    const service = second ?? first;
    const named = table.byHost(`${service}.${namespace}`, port)?.target;
    if (!named?.service.startsWith(`${namespace}/${service.toLowerCase()}.${namespace}.svc.`)) return undefined;
    const isMeant = isHttp(named.protocol) && named.relayable && (second === undefined || named.headless);
    return isMeant ? `${authority.slice(0, authority.length - portText.length)}.${namespace}${portText}` : undefined;
  };
}

/** The namespace that a caller is in; unknown while pods of several may have its address. */
export function callerNamespace(
  { source, namespace }: Pick<Admitted, 'source' | 'namespace'>,
  identities: IdentityView,
): string | undefined {
  if (namespace !== undefined) return namespace;
  const namespaces = new Set(identities.of(source.address).map(namespaceOf));
  const [only] = namespaces;
  return namespaces.size === 1 ? only : undefined;
}
