/** Every setting of `lazyscope controller`, once: flag, environment variable, default, parser, help. */
import { hostname } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import { LazyscopeError } from './core/error.ts';
import type { SocketAddress } from './core/model.ts';
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

function parseSeconds(text: string): number {
  const seconds = text.trim() === '' ? Number.NaN : Number(text);
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
export type ControllerOptions = Omit<ControllerConfig, 'advertise' | 'egress'> & {
  readonly advertise?: SocketAddress;
  readonly egress?: readonly SocketAddress[];
};

/**
 * Parsed flags as a frozen config; commander has checked and defaulted each of them.
 * @throws LazyscopeError `InvalidConfiguration` if they do not go together
 */
export function controllerConfig(options: ControllerOptions): ControllerConfig {
  const { source, mode, path, egress = [], grpcListen } = options;
  if (source === 'files' && path === undefined) throw missing('--path', '--source files');
  if (mode === 'direct' && egress.length === 0) throw missing('--egress', '--mode direct');
  if (mode === 'istio' && source === 'files') {
    throw new LazyscopeError('InvalidConfiguration', '--mode istio writes to the API server: use --source kubernetes');
  }
  const advertise = options.advertise ?? { address: '127.0.0.1', port: grpcListen.port };
  return Object.freeze({ ...options, egress, advertise });
}

function missing(flag: string, reason: string): LazyscopeError {
  return new LazyscopeError('InvalidConfiguration', `${reason} needs ${flag}`);
}
