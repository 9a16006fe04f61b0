/** Every setting of `lazyscope controller`, once: flag, environment variable, default, parser, help. */
import { isIPv4 } from 'node:net';
import { hostname } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { LazyscopeError } from './core/error.ts';
import type { ExternalDirectSettings } from './core/istio/external-direct-settings.ts';
import type { SocketAddress } from './core/model.ts';
import { parseSeconds } from './process/seconds-flag.ts';
import { parseSocketAddress } from './process/socket-address-flag.ts';

/** What the controller runs with; printed at start, frozen afterwards. */
export interface ControllerConfig {
  readonly source: 'files' | 'kubernetes';
  /** Folder or file of Kubernetes YAML or JSON; set exactly with source `files`. */
  readonly path?: string;
  /** Of the API server; absent: in-cluster, or what kubectl would use. */
  readonly kubeconfig?: string;
  readonly mode: 'direct' | 'istio';
  /** Where ALS and delta ADS are served. */
  readonly grpcListen: SocketAddress;
  /** Where API, health and metrics are served. */
  readonly httpListen: SocketAddress;
  /** How sidecars reach the gRPC port; named by the bootstraps that we print. */
  readonly advertise: SocketAddress;
  /** Where sidecars reach the egress: one address or several. Empty in Istio mode, where its Service tells. */
  readonly egress: readonly SocketAddress[];
  /** Istio mode: where egress and placeholder are, and this controller. */
  readonly namespace: string;
  /** Istio's root namespace. */
  readonly istioNamespace: string;
  /** Where istiods serve xDS, for the probe that tells when writes have arrived; absent: the promotion delay decides. */
  readonly istiod?: SocketAddress;
  /** The name in istiod's certificate. */
  readonly istiodServerName: string;
  readonly promotionDelay: number;
  readonly allowPlaintextHop: boolean;
  readonly allowRelayPastPolicies: boolean;
  /** Istio mode: what leaves from lazy pods themselves; absent: nothing does. */
  readonly externalDirect?: ExternalDirectSettings;
  /** Folder of `key.pem`, `cert-chain.pem` and `root-cert.pem`, as istio-agent keeps it (`OUTPUT_CERTS`). */
  readonly tlsCertificates?: string;
  /** Identity of this process in the Lease. */
  readonly identity: string;
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

/** A DNS name: it becomes part of host names and Envoy domains. */
function parseDomain(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(text)) {
    throw new InvalidArgumentError('It must be a DNS name in lower case, for example cluster.local.');
  }
  return text;
}

function parsePorts(text: string): readonly number[] {
  const ports = text.split(',').map((item) => (/^\s*\d+\s*$/.test(item) ? Number(item) : Number.NaN));
  if (ports.every((port) => port >= 1 && port <= 65_535)) return ports;
  throw new InvalidArgumentError('It must be port numbers from 1 to 65535, with commas.');
}

/** Of IPv4, and not everything: istiod takes what begins at 0.0.0.0 for no range at all. */
function parseRanges(text: string): readonly string[] {
  const ranges = text.split(',').map((item) => item.trim());
  const isRange = (range: string): boolean => {
    const [address = '', prefix = ''] = range.split('/');
    return isIPv4(address) && !address.startsWith('0.') && /^([1-9]|[12]\d|3[0-2])$/.test(prefix);
  };
  if (ranges.every(isRange)) return ranges;
  throw new InvalidArgumentError('It must be IPv4 CIDR blocks, with commas: 10.96.0.0/16,10.244.0.0/16.');
}

/** What only Istio mode reads. */
const istioOptions: readonly Option[] = [
  new Option('--namespace <name>', 'istio mode: namespace of egress, placeholder and controller')
    .env('LAZYSCOPE_NAMESPACE')
    .argParser(parseDomain)
    .default('lazyscope'),
  new Option('--istio-namespace <name>', "istio mode: istiod's root namespace")
    .env('LAZYSCOPE_ISTIO_NAMESPACE')
    .argParser(parseDomain)
    .default('istio-system'),
  new Option('--promotion-delay <seconds>', 'istio mode: time in which a written Sidecar has surely reached its pods')
    .env('LAZYSCOPE_PROMOTION_DELAY')
    .argParser(parseSeconds)
    .default(12),
  new Option(
    '--istiod <address>',
    'istio mode: xDS port of istiod, to see when Sidecars have arrived instead of waiting',
  )
    .env('LAZYSCOPE_ISTIOD')
    .argParser(parseDialable),
  new Option('--istiod-server-name <name>', "istio mode: the name in istiod's certificate, with --tls-certificates")
    .env('LAZYSCOPE_ISTIOD_SERVER_NAME')
    .argParser(parseDomain)
    .default('istiod.istio-system.svc'),
  new Option('--allow-plaintext-hop', 'istio mode: accept that sidecars reach the egress without mTLS')
    .env('LAZYSCOPE_ALLOW_PLAINTEXT_HOP')
    .default(false),
  new Option('--allow-relay-past-policies', 'istio mode: be lazy though policies look at the caller')
    .env('LAZYSCOPE_ALLOW_RELAY_PAST_POLICIES')
    .default(false),
  new Option(
    '--external-direct-ports <ports>',
    'istio mode: on these ports lazy pods call addresses outside the mesh themselves; needs --mesh-ranges',
  )
    .env('LAZYSCOPE_EXTERNAL_DIRECT_PORTS')
    .argParser(parsePorts),
  new Option('--mesh-ranges <ranges>', 'istio mode: IPv4 CIDR blocks of all Services, pods and nodes, with commas')
    .env('LAZYSCOPE_MESH_RANGES')
    .argParser(parseRanges),
  new Option('--tls-certificates <folder>', 'serve gRPC with mTLS: key.pem, cert-chain.pem and root-cert.pem').env(
    'LAZYSCOPE_TLS_CERTIFICATES',
  ),
  new Option('--identity <name>', 'istio mode: name of this process in the Lease')
    .env('POD_NAME')
    .default(hostname(), 'host name'),
];

/** The flags of `lazyscope controller`, in the order of its help. */
export const controllerOptions: readonly Option[] = [
  new Option('--source <kind>', 'where mesh objects come from')
    .choices(['files', 'kubernetes'])
    .default('files')
    .env('LAZYSCOPE_SOURCE'),
  new Option(
    '--path <path>',
    'source files: folder or file of Kubernetes YAML or JSON, as kubectl get -o yaml writes it',
  ).env('LAZYSCOPE_PATH'),
  new Option(
    '--kubeconfig <file>',
    "source kubernetes: how to reach the API server (default: in-cluster, else kubectl's)",
  ).env('LAZYSCOPE_KUBECONFIG'),
  new Option('--mode <mode>', 'direct: serve delta xDS to plain Envoys; istio: write Sidecars for istiod')
    .choices(['direct', 'istio'])
    .default('direct')
    .env('LAZYSCOPE_MODE'),
  new Option('--egress <addresses>', 'direct mode: where sidecars reach the egress, ADDRESS:PORT, several with commas')
    .env('LAZYSCOPE_EGRESS_ADDRESS')
    .argParser(parseDialables),
  ...istioOptions,
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

/** What commander hands over once all options are parsed. */
export type ControllerOptions = Omit<ControllerConfig, 'advertise' | 'egress' | 'externalDirect'> & {
  readonly advertise?: SocketAddress;
  readonly egress?: readonly SocketAddress[];
  readonly externalDirectPorts?: readonly number[];
  readonly meshRanges?: readonly string[];
};

/**
 * Parsed flags as a frozen config; commander has checked and defaulted each of them.
 * @throws LazyscopeError `InvalidConfiguration` if they do not go together
 */
export function controllerConfig(options: ControllerOptions): ControllerConfig {
  const { externalDirectPorts, meshRanges, ...others } = options;
  const { source, mode, path, egress = [], grpcListen } = options;
  if (source === 'files' && path === undefined) throw missing('--path', '--source files');
  if (mode === 'direct' && egress.length === 0) throw missing('--egress', '--mode direct');
  if (mode === 'istio' && source === 'files') {
    throw new LazyscopeError('InvalidConfiguration', '--mode istio writes to the API server: use --source kubernetes');
  }
  const advertise = options.advertise ?? { address: '127.0.0.1', port: grpcListen.port };
  const externalDirect = externalDirectOf(externalDirectPorts, meshRanges);
  return Object.freeze({ ...others, ...(externalDirect ? { externalDirect } : {}), egress, advertise });
}

function externalDirectOf(
  ports?: readonly number[],
  meshRanges?: readonly string[],
): ExternalDirectSettings | undefined {
  if (ports && !meshRanges) throw missing('--mesh-ranges', '--external-direct-ports');
  if (meshRanges && !ports) throw missing('--external-direct-ports', '--mesh-ranges');
  return ports && meshRanges && { ports, meshRanges };
}

function missing(flag: string, reason: string): LazyscopeError {
  return new LazyscopeError('InvalidConfiguration', `${reason} needs ${flag}`);
}
