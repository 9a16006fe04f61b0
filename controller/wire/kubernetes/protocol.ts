/** Which protocol a service port declares. */
import type { PortProtocol } from '../../core/model.ts';

/**
 * Names that Istio knows as protocols, and ours for them. grpc-web is HTTP/1 or HTTP/2, so it is plain HTTP.
 * https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
 */
const PROTOCOLS: Readonly<Record<string, PortProtocol>> = {
  http: 'HTTP',
  http2: 'HTTP2',
  h2c: 'HTTP2',
  grpc: 'GRPC',
  'grpc-web': 'HTTP',
  https: 'TLS',
  tls: 'TLS',
  tcp: 'TCP',
  redis: 'TCP',
  mysql: 'TCP',
  mongo: 'TCP',
};

/** Values of `appProtocol` that Kubernetes itself defines (KEP-3726). */
const KUBERNETES_PROTOCOLS: Readonly<Record<string, PortProtocol>> = {
  'kubernetes.io/h2c': 'HTTP2',
  'kubernetes.io/ws': 'HTTP',
  'kubernetes.io/wss': 'TLS',
};

const lookUp = (table: Readonly<Record<string, PortProtocol>>, name: string): PortProtocol | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** `grpc-web` holds a hyphen itself, so it is looked for before the name is cut at the first one. */
function byNamePrefix(name: string): PortProtocol | undefined {
  const prefix = /^grpc-web(?=-|$)/.exec(name)?.[0] ?? name.split('-', 1)[0] ?? '';
  return lookUp(PROTOCOLS, prefix);
}

/**
 * Protocol of a port: by its `appProtocol`, else by the prefix of its name, else `undeclared`. An `appProtocol` that
 * we do not know leaves the decision to the name. Upper and lower case are the same, as in Istio.
 */
export function portProtocol(
  port: { readonly name: string; readonly appProtocol?: string | null | undefined },
  undeclared: PortProtocol,
): PortProtocol {
  const declared = port.appProtocol?.toLowerCase() ?? '';
  return (
    lookUp(KUBERNETES_PROTOCOLS, declared) ??
    lookUp(PROTOCOLS, declared) ??
    byNamePrefix(port.name.toLowerCase()) ??
    undeclared
  );
}
