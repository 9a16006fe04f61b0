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

/** These declare nothing to istiod, though they do to us. */
const UNKNOWN_TO_ISTIO: ReadonlySet<string> = new Set(['h2c']);
/** TCP to istiod where nothing is declared, since these servers speak first: SMTP, DNS, MySQL, MongoDB. */
const SERVER_FIRST_PORTS: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

/**
 * Protocol of a Service's port exactly as istiod reads it, `Auto` where it has to find out: an `appProtocol` counts
 * instead of the name, known or not, and both up to their first hyphen.
 */
export function istioPortProtocol(port: {
  readonly name: string;
  readonly port: number;
  readonly appProtocol?: string | null | undefined;
}): PortProtocol {
  const declared = port.appProtocol ?? port.name;
  const kubernetes = lookUp(KUBERNETES_PROTOCOLS, port.appProtocol ?? '');
  if (kubernetes !== undefined) return kubernetes;
  const name = declared.toLowerCase();
  const protocol = namedProtocol(name.startsWith('grpc-web') ? 'grpc-web' : (name.split('-', 1)[0] ?? ''), 'Auto');
  return protocol === 'Auto' && SERVER_FIRST_PORTS.has(port.port) ? 'TCP' : protocol;
}

/** Protocol that a ServiceEntry's port names, which istiod reads as a whole; `undeclared` for what it does not know. */
export function namedProtocol(protocol: string, undeclared: PortProtocol): PortProtocol {
  const name = protocol.toLowerCase();
  if (name === 'http_proxy') return 'HTTP';
  return (UNKNOWN_TO_ISTIO.has(name) ? undefined : lookUp(PROTOCOLS, name)) ?? undeclared;
}
