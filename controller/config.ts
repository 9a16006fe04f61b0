/** Every setting of `lazyscope controller`, once: flag, environment variable, default, parser, help. */
import { InvalidArgumentError, Option } from 'commander';
import type { SocketAddress } from './core/model.ts';
import { parseSocketAddress } from './process/socket-address-flag.ts';

/** What the controller runs with; printed at start, frozen afterwards. */
export interface ControllerConfig {
  readonly source: 'files';
  /** Folder or file of Kubernetes YAML or JSON. */
  readonly path: string;
  readonly mode: 'direct';
  /** Where ALS and delta ADS are served. */
  readonly grpcListen: SocketAddress;
  /** Where API, health and metrics are served. */
  readonly httpListen: SocketAddress;
  /** How sidecars reach the gRPC port; named by the bootstraps that we print. */
  readonly advertise: SocketAddress;
  /** Where sidecars reach the egress: one address or several. */
  readonly egress: readonly SocketAddress[];
  readonly store: 'sqlite' | 'memory';
  readonly storePath: string;
  readonly clusterDomain: string;
  readonly drainSeconds: number;
  readonly logLevel: string;
}

/** Port 0 means any free port, which is for listening: nobody can be told to connect to it. */
function parseDialable(text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address.port === 0) throw new InvalidArgumentError('It must name a port from 1 to 65535.');
  return address;
}

function parseDialables(text: string): readonly SocketAddress[] {
  return text.split(',').map((item) => parseDialable(item.trim()));
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new InvalidArgumentError('It must be a number of seconds, 0 or more.');
  return seconds;
}

/** A DNS name: it becomes part of host names and Envoy domains. */
function parseDomain(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text)) {
    throw new InvalidArgumentError('It must be a DNS name in lower case, for example cluster.local.');
  }
  return text;
}

/** The flags of `lazyscope controller`, in the order of its help. */
export const controllerOptions: readonly Option[] = [
  new Option('--source <kind>', 'where mesh objects come from')
    .choices(['files'])
    .default('files')
    .env('LAZYSCOPE_SOURCE'),
  new Option('--path <path>', 'folder or file of Kubernetes YAML or JSON, as kubectl get -o yaml writes it')
    .env('LAZYSCOPE_PATH')
    .makeOptionMandatory(),
  new Option('--egress <addresses>', 'where sidecars reach the egress, ADDRESS:PORT, several with commas')
    .env('LAZYSCOPE_EGRESS_ADDRESS')
    .argParser(parseDialables)
    .makeOptionMandatory(),
  new Option('--mode <mode>', 'direct: serve delta xDS to plain Envoys')
    .choices(['direct'])
    .default('direct')
    .env('LAZYSCOPE_MODE'),
  new Option('--grpc-listen <address>', 'access logs (ALS) and delta ADS')
    .env('LAZYSCOPE_GRPC_LISTEN')
    .argParser(parseSocketAddress)
    .default({ address: '0.0.0.0', port: 15010 }, '0.0.0.0:15010'),
  new Option('--http-listen <address>', 'API, health and metrics')
    .env('LAZYSCOPE_HTTP_LISTEN')
    .argParser(parseSocketAddress)
    .default({ address: '127.0.0.1', port: 15014 }, '127.0.0.1:15014'),
  new Option('--advertise <address>', 'gRPC address that bootstraps name (default: 127.0.0.1 and the gRPC port)')
    .env('LAZYSCOPE_ADVERTISE')
    .argParser(parseDialable),
  new Option('--store <kind>', 'where the graph is kept')
    .choices(['sqlite', 'memory'])
    .default('sqlite')
    .env('LAZYSCOPE_STORE'),
  new Option('--store-path <file>', 'database file of the sqlite store')
    .default('lazyscope.db')
    .env('LAZYSCOPE_STORE_PATH'),
  new Option('--cluster-domain <domain>', 'DNS domain of the cluster')
    .env('LAZYSCOPE_CLUSTER_DOMAIN')
    .argParser(parseDomain)
    .default('cluster.local'),
  new Option('--drain-seconds <seconds>', 'how long clients get to leave on SIGTERM')
    .env('LAZYSCOPE_DRAIN_SECONDS')
    .argParser(parseSeconds)
    .default(5),
  new Option('--log-level <level>', 'what is logged')
    .choices(['debug', 'info', 'warn', 'error'])
    .default('info')
    .env('LAZYSCOPE_LOG_LEVEL'),
];

/** Parsed flags as a frozen config; commander has checked and defaulted each of them. */
export function controllerConfig(
  options: Omit<ControllerConfig, 'advertise'> & { advertise?: SocketAddress },
): ControllerConfig {
  const advertise = options.advertise ?? { address: '127.0.0.1', port: options.grpcListen.port };
  return Object.freeze({ ...options, advertise });
}
