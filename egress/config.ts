/** Every setting of `lazyscope egress`, once: flag, environment variable, default, parser, help. */
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { InvalidArgumentError, Option } from 'commander';
import type { SocketAddress } from '../controller/core/model.ts';
import { parseSeconds } from '../controller/process/seconds-flag.ts';
import { parseSocketAddress } from '../controller/process/socket-address-flag.ts';
import { parseSpiffeUri } from '../controller/tls/spiffe-id.ts';
import { canonicalAddress, isCidr } from './address.ts';

/** What the egress runs with; printed at start, frozen afterwards. */
export interface EgressConfig {
  /** Where sidecars connect to, with PROXY protocol v2. */
  readonly listen: SocketAddress;
  /** Where health and metrics are served. */
  readonly httpListen: SocketAddress;
  /** The controller's gRPC port: routing table and access logs. Its host may be a name. */
  readonly controller: SocketAddress;
  readonly mode: 'direct' | 'istio';
  /** How sidecars reach this egress; part of its node id. */
  readonly address: string;
  readonly pod: string;
  readonly namespace: string;
  readonly clusterDomain: string;
  /** Source addresses that are served. */
  readonly sourceCidrs: readonly string[];
  /** Link-local destinations that are relayed; none by default. */
  readonly linkLocalAllow: readonly string[];
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  readonly maxHalfOpenPerSource: number;
  /** Bytes that may wait in one direction of a connection before reading stops. */
  readonly bufferBytes: number;
  readonly reportIntervalSeconds: number;
  /** How long open connections get to end on SIGTERM. */
  readonly drainSeconds: number;
  /** Folder of `key.pem`, `cert-chain.pem` and `root-cert.pem`; absent: everything is in clear. */
  readonly tlsCertificates?: string;
  /** Names of our trust domain besides that of our own certificate. */
  readonly trustDomainAliases: readonly string[];
  /** SPIFFE URI of the controller; absent: ServiceAccount `lazyscope-controller` of the own namespace. */
  readonly controllerIdentity?: string;
  readonly logLevel: string;
}

/** What commander hands over once all options are parsed. */
export type EgressOptions = Omit<EgressConfig, 'address' | 'reportIntervalSeconds'> & {
  readonly address?: string;
  readonly reportInterval: number;
};

const PRIVATE_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fe80::/10'];

function parseListen(text: string): SocketAddress {
  const parsed = parseSocketAddress(text);
  if (isIP(parsed.address) === 0) throw new InvalidArgumentError('It must be an IP address and a port.');
  return parsed;
}

function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It must be an IP address.');
  return canonicalAddress(text);
}

function parseCidrs(text: string): readonly string[] {
  const cidrs = text.split(',').flatMap((item) => item.trim() || []);
  const wrong = cidrs.find((cidr) => !isCidr(cidr));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is no CIDR, such as 10.0.0.0/8 or fc00::/7.`);
  return cidrs;
}

/** A DNS name, as pods and domains are named. */
function parseName(text: string): string {
  if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text)) {
    throw new InvalidArgumentError('It must be lower case letters, digits, "-" and ".", as Kubernetes names are.');
  }
  return text;
}

/** A namespace ends `<pod>.<namespace>` in the node id, so it has no dots. */
function parseNamespace(text: string): string {
  if (text.includes('.')) throw new InvalidArgumentError('It must be a Kubernetes namespace, without dots.');
  return parseName(text);
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('It must be a whole number from 1 up.');
  return count;
}

function parseInterval(text: string): number {
  const seconds = parseSeconds(text);
  if (seconds < 0.1) throw new InvalidArgumentError('It must be 0.1 seconds or more.');
  return seconds;
}

function parseTrustDomains(text: string): readonly string[] {
  const domains = text.split(',').flatMap((item) => item.trim() || []);
  const wrong = domains.find((domain) => !/^[a-z0-9._-]+$/.test(domain));
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is no trust domain, such as cluster.local.`);
  return domains;
}

function parseIdentity(text: string): string {
  const id = parseSpiffeUri(text);
  if (!id) throw new InvalidArgumentError('It must be spiffe://<trust domain>/ns/<namespace>/sa/<service account>.');
  return id.uri;
}

/** The host's name as a node id can carry it. */
function defaultPod(): string {
  const name = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '');
  return name === '' ? 'lazyscope-egress' : name;
}

function cidrs(flag: string, help: string, variable: string, fallback: readonly string[]): Option {
  return new Option(`${flag} <cidrs>`, help)
    .env(variable)
    .argParser(parseCidrs)
    .default(fallback, fallback.length > 0 ? fallback.join(',') : 'none');
}

function count(flag: string, help: string, variable: string, fallback: number): Option {
  return new Option(`${flag} <number>`, help).env(variable).argParser(parseCount).default(fallback);
}

/** The flags of `lazyscope egress`, in the order of its help. */
export const egressOptions: readonly Option[] = [
  new Option('--controller <address>', "the controller's gRPC port, HOST:PORT: routing table and access logs")
    .env('LAZYSCOPE_CONTROLLER')
    .argParser(parseSocketAddress)
    .makeOptionMandatory(),
  new Option('--listen <address>', 'where sidecars connect to, with PROXY protocol v2')
    .env('LAZYSCOPE_EGRESS_LISTEN')
    .argParser(parseListen)
    .default({ address: '0.0.0.0', port: 15080 }, '0.0.0.0:15080'),
  new Option('--http-listen <address>', 'health and metrics')
    .env('LAZYSCOPE_EGRESS_HTTP_LISTEN')
    .argParser(parseListen)
    .default({ address: '127.0.0.1', port: 15081 }, '127.0.0.1:15081'),
  new Option('--mode <mode>', 'direct: choose endpoints here; istio: leave that to the own sidecar')
    .choices(['direct', 'istio'])
    .default('direct')
    .env('LAZYSCOPE_MODE'),
  new Option('--address <ip>', 'own address, for the node id (default: that of --listen)')
    .env('LAZYSCOPE_EGRESS_IP')
    .argParser(parseAddress),
  new Option('--pod <name>', 'own pod name, for the node id')
    .env('LAZYSCOPE_EGRESS_POD')
    .argParser(parseName)
    .default(defaultPod(), "the host's name"),
  new Option('--namespace <name>', 'own namespace, for the node id')
    .env('LAZYSCOPE_EGRESS_NAMESPACE')
    .argParser(parseNamespace)
    .default('lazyscope'),
  new Option('--cluster-domain <domain>', 'DNS domain of the cluster')
    .env('LAZYSCOPE_CLUSTER_DOMAIN')
    .argParser(parseName)
    .default('cluster.local'),
  cidrs('--source-cidrs', 'sources that are served', 'LAZYSCOPE_EGRESS_SOURCE_CIDRS', PRIVATE_RANGES),
  cidrs('--link-local-allow', 'link-local destinations to relay', 'LAZYSCOPE_EGRESS_LINK_LOCAL_ALLOW', []),
  count('--max-connections', 'connections in all', 'LAZYSCOPE_EGRESS_MAX_CONNECTIONS', 50_000),
  count('--max-connections-per-source', 'of one source', 'LAZYSCOPE_EGRESS_MAX_CONNECTIONS_PER_SOURCE', 5_000),
  count(
    '--max-half-open-per-source',
    'of one source, not yet at an upstream',
    'LAZYSCOPE_EGRESS_MAX_HALF_OPEN_PER_SOURCE',
    500,
  ),
  count('--buffer-bytes', 'bytes that may wait in one direction', 'LAZYSCOPE_EGRESS_BUFFER_BYTES', 65_536),
  new Option('--report-interval <seconds>', 'how often live connections are announced again')
    .env('LAZYSCOPE_EGRESS_REPORT_INTERVAL')
    .argParser(parseInterval)
    .default(60),
  new Option('--drain-seconds <seconds>', 'how long open connections get to end on SIGTERM')
    .env('LAZYSCOPE_DRAIN_SECONDS')
    .argParser(parseSeconds)
    .default(5),
  new Option(
    '--tls-certificates <folder>',
    "istio-agent's OUTPUT_CERTS: mTLS with sidecars and controller (default: in clear)",
  ).env('LAZYSCOPE_TLS_CERTIFICATES'),
  new Option('--trust-domain-aliases <domains>', "further names of the own certificate's trust domain, with commas")
    .env('LAZYSCOPE_TRUST_DOMAIN_ALIASES')
    .argParser(parseTrustDomains)
    .default([], 'none'),
  new Option(
    '--controller-identity <uri>',
    "the controller's SPIFFE URI (default: lazyscope-controller of --namespace)",
  )
    .env('LAZYSCOPE_CONTROLLER_IDENTITY')
    .argParser(parseIdentity),
  new Option('--log-level <level>', 'what is logged')
    .choices(['debug', 'info', 'warn', 'error'])
    .default('info')
    .env('LAZYSCOPE_LOG_LEVEL'),
];

/** Parsed flags as a frozen config; commander has checked and defaulted each of them. */
export function egressConfig({ reportInterval, ...options }: EgressOptions): EgressConfig {
  const address = options.address ?? canonicalAddress(options.listen.address);
  return Object.freeze({ ...options, address, reportIntervalSeconds: reportInterval });
}

/** Node id in Istio's form, `egress~<ip>~<pod>.<namespace>~<namespace>.svc.<domain>`. */
export function nodeId({ address, pod, namespace, clusterDomain }: EgressConfig): string {
  return `egress~${address}~${pod}.${namespace}~${namespace}.svc.${clusterDomain}`;
}
