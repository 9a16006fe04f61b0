/** The shop: who serves what, and who calls whom. Everything else in the mesh is filler that nobody calls. */

export type ProtocolName = 'http1' | 'grpc' | 'websocket' | 'tcp' | 'tls';

export interface ShopWorkload {
  readonly name: string;
  readonly serves: readonly { readonly protocol: ProtocolName; readonly port: number }[];
  /** `name:port` of what it calls. */
  readonly calls: readonly string[];
}

/** The database speaks first on 8080, a port that is HTTP elsewhere: the hardest case there is. */
export const SHOP: readonly ShopWorkload[] = [
  { name: 'frontend', serves: [], calls: ['catalog:8080', 'cart:8080', 'recommend:9090', 'notify:8081'] },
  { name: 'catalog', serves: [{ protocol: 'http1', port: 8080 }], calls: ['database:8080'] },
  { name: 'cart', serves: [{ protocol: 'http1', port: 8080 }], calls: ['sessions:6379'] },
  { name: 'recommend', serves: [{ protocol: 'grpc', port: 9090 }], calls: ['catalog:8080'] },
  {
    name: 'checkout',
    serves: [{ protocol: 'grpc', port: 9090 }],
    calls: ['payments:8443', 'cart:8080', 'shipping:80'],
  },
  { name: 'payments', serves: [{ protocol: 'tls', port: 8443 }], calls: ['database:8080'] },
  { name: 'notify', serves: [{ protocol: 'websocket', port: 8081 }], calls: ['sessions:6379'] },
  { name: 'shipping', serves: [{ protocol: 'http1', port: 80 }], calls: ['notify:8081'] },
  { name: 'database', serves: [{ protocol: 'tcp', port: 8080 }], calls: [] },
  { name: 'sessions', serves: [{ protocol: 'tcp', port: 6379 }], calls: [] },
  { name: 'batch', serves: [], calls: ['checkout:9090', 'database:8080'] },
];

/** Prefix of a Service's port name: it declares the protocol to the mesh. */
export const PORT_PREFIX: Readonly<Record<ProtocolName, string>> = {
  http1: 'http',
  grpc: 'grpc',
  websocket: 'http',
  tcp: 'tcp',
  tls: 'tls',
};

export interface FillerService {
  readonly name: string;
  readonly port: number;
  readonly portName: string;
}

/** Ports of the filler's HTTP services: all HTTP in the shop as well. */
const FILLER_HTTP_PORTS = [80, 8080, 8081, 9090];

/** `count` services that nobody calls: four in five HTTP, the rest TCP on a port of its own. */
export function filler(count: number): FillerService[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `filler-${String(index + 1).padStart(4, '0')}`;
    if (index % 5 === 4) return { name, port: 7000, portName: 'tcp' };
    return { name, port: FILLER_HTTP_PORTS[index % FILLER_HTTP_PORTS.length] ?? 80, portName: 'http' };
  });
}
