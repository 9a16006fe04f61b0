/** The shop: who serves what, and who calls whom. Everything else in the mesh is filler that nobody calls. */
import { clusterOf } from '../test/support/bed/api-client.ts';
import type { Network } from '../test/support/bed/network.ts';
import type { Call } from './application.ts';

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

/** What a workload calls, by name and port, with the address that DNS would give. */
export function callOf(call: string, addresses: ReadonlyMap<string, string>): Call {
  const [name = '', text] = call.split(':');
  const protocol = SHOP.find((workload) => workload.name === name)?.serves[0]?.protocol;
  const address = addresses.get(name);
  if (protocol === undefined || address === undefined) throw new Error(`The shop has no service ${name}`);
  const port = Number(text);
  return { name, host: `${name}.shop`, protocol, address, port, cluster: clusterOf(name, port) };
}

/** Prefix of a Service's port name: it declares the protocol to the mesh. */
const PORT_PREFIX: Readonly<Record<ProtocolName, string>> = {
  http1: 'http',
  grpc: 'grpc',
  websocket: 'http',
  tcp: 'tcp',
  tls: 'tls',
};

/** Ports of a workload's Service. */
export function servicePorts({ name, serves }: ShopWorkload): Readonly<Record<string, number>> {
  return Object.fromEntries(serves.map(({ protocol, port }) => [`${PORT_PREFIX[protocol]}-${name}`, port]));
}

export interface FillerService {
  readonly name: string;
  readonly namespace: string;
  readonly ports: Readonly<Record<string, number>>;
}

/** Ports of the filler's HTTP services: all HTTP in the shop as well. */
const FILLER_HTTP_PORTS = [80, 8080, 8081, 9090];

/** `count` services that nobody calls: four in five HTTP, the rest TCP on a port of its own. */
export function fillerServices(count: number): FillerService[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `filler-${String(index + 1).padStart(4, '0')}`;
    const http = FILLER_HTTP_PORTS[index % FILLER_HTTP_PORTS.length] ?? 80;
    return { name, namespace: 'filler', ports: index % 5 === 4 ? { tcp: 7000 } : { http } };
  });
}

/** Three for each filler, as in a small mesh; nobody calls them, so nobody needs to be there. */
export function fillerEndpoints(network: Network): readonly string[] {
  return [250, 251, 252].map((last) => network.address((120 << 8) + last));
}
