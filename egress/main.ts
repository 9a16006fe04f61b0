/**
 * Composition root of `lazyscope egress`: what starts, in order, and what it feeds. Nobody imports this but the bin.
 *
 * sidecars ──PROXY v2, mTLS──▶ relay ──bytes──▶ destinations
 *                               ▲ │
 *                routing table ─┘ └─▶ report ──ALS──▶ controller
 *                      ▲
 *                      └────────────delta ADS──────── controller
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { LazyscopeError, reasonOf } from '../controller/core/error.ts';
import type { SocketAddress } from '../controller/core/model.ts';
import { socketAddressText } from '../controller/core/socket-address.ts';
import { stopOnSignal } from '../controller/process/stop-on-signal.ts';
import { CertificateFolder } from '../controller/tls/certificate-folder.ts';
import { AddressSet } from './address.ts';
import { AlsClient } from './als-client.ts';
import { Balancer } from './balancer.ts';
import { type EgressConfig, egressConfig, egressOptions, nodeId } from './config.ts';
import { controllerClient } from './controller-client.ts';
import { Dialler } from './dial.ts';
import { createHealthServer, type HealthCheck } from './health.ts';
import { Hop } from './hop.ts';
import { Limits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { NEVER_RELAYED_CIDRS, NeverRelay } from './never-relay.ts';
import { isOwnInstallation, SIDECAR_PORTS } from './own-installation.ts';
import { RefusalTally } from './refusal-tally.ts';
import { Relay } from './relay.ts';
import { Report } from './report.ts';
import { TableClient } from './table.ts';

/** For one attempt to reach an upstream. */
const DIAL_TIMEOUT_MS = 5_000;
/** Report keys that are held while the controller is away. */
const MAX_REPORT_KEYS = 100_000;
/** How often the controller's name is looked up again. */
const LOOK_UP_INTERVAL_MS = 60_000;
/** Without a table for this long the egress serves all the same: it dials original addresses. */
const TABLE_GRACE_MS = 10_000;

/** A running egress. */
export interface RunningEgress {
  /** Where sidecars connect to. */
  readonly address: SocketAddress;
  /** Where health and metrics are served. */
  readonly httpAddress: SocketAddress;
  /** Stops accepting, lets connections end, tells the last reports. */
  stop(): Promise<void>;
}

/** What tests replace. */
export interface EgressSeams {
  /** Destinations that are never relayed, besides egress and controller. */
  readonly neverRelayedCidrs: readonly string[];
}

/** @param version of the program, for metrics */
export function egressCommand(version: string): Command {
  const command = new Command('egress').description('forward what sidecars do not know yet, and report it');
  for (const option of egressOptions) command.addOption(option);
  return command.action(async (options) => {
    const config = egressConfig(options);
    const logger = pino({ level: config.logLevel });
    try {
      stopOnSignal(await startEgress(config, version, logger), logger);
    } catch (error) {
      // Half of it may run already: end at once rather than serve half.
      process.stderr.write(`lazyscope egress cannot start: ${reasonOf(error)}\n`);
      process.exit(1);
    }
  });
}

/** @throws LazyscopeError `InvalidConfiguration` if an address cannot be listened on */
export async function startEgress(
  config: EgressConfig,
  version: string,
  logger: Logger,
  seams: EgressSeams = { neverRelayedCidrs: NEVER_RELAYED_CIDRS },
): Promise<RunningEgress> {
  const node = nodeId(config);
  logger.info({ config, version, node }, 'Starting');
  const metrics = new Metrics(version);

  // Who we are, to sidecars and controller.
  const certificates = await openCertificates(config, logger);

  // Whom it must never connect to: itself, the controller, what is local.
  const neverRelay = createNeverRelay(config, seams);
  await neverRelay.refresh();
  const lookUps = setInterval(() => void neverRelay.refresh(), LOOK_UP_INTERVAL_MS);

  // The controller: where everything is, and whom to tell.
  const report = new Report({ reporter: node, maxKeys: MAX_REPORT_KEYS });
  const refusals = new RefusalTally();
  const controller = connectController(config, { node, metrics, neverRelay, report, refusals, certificates, logger });
  const { table, accessLogs } = controller;

  // The relay itself.
  const limits = new Limits(config);
  let droppedHealthConnections = 0;
  const relay = createRelay(config, { metrics, neverRelay, report, refusals, limits, certificates, logger, table });
  metrics.read({
    openConnections: () => limits.open,
    tableSize: () => table.size,
    reportKeys: () => report.size,
    reportDropped: () => report.dropped,
    limits: () => ({ ...report.limits, RefusedSources: refusals.untold, HealthConnections: droppedHealthConnections }),
    ...(certificates && { certificateExpiry: () => certificates.current?.validUntil }),
  });

  // Health first, so that a slow start can be watched; then sidecars may come.
  const startedAt = performance.now();
  const health = createHealthServer({
    checks: () => checks({ relay, table, certificates, isGraceOver: performance.now() - startedAt > TABLE_GRACE_MS }),
    registry: metrics.registry,
    onDropped: () => {
      droppedHealthConnections += 1;
    },
  });
  const httpAddress = await listen(health, config.httpListen);
  const address = await relay.listen(config.listen);
  for (const { port } of [address, httpAddress]) neverRelay.addOwnPort(port);
  table.start();
  accessLogs.start();
  logger.info({ address, http: httpAddress, node }, 'Listening');

  return {
    address,
    httpAddress,
    stop: async () => {
      logger.info({ connections: relay.size, seconds: config.drainSeconds }, 'Draining');
      const cut = await relay.drain(config.drainSeconds * 1_000);
      await controller.leave();
      clearInterval(lookUps);
      certificates?.stop();
      health.close();
      health.closeAllConnections();
      logger.info({ cut }, 'Stopped');
    },
  };
}

interface Parts {
  readonly metrics: Metrics;
  readonly neverRelay: NeverRelay;
  readonly report: Report;
  readonly refusals: RefusalTally;
  readonly certificates: CertificateFolder | undefined;
  readonly logger: Logger;
}

interface ControllerParts extends Parts {
  readonly node: string;
}

/** Reads the certificates and follows them; where there is no folder everything is in clear. */
async function openCertificates(config: EgressConfig, logger: Logger): Promise<CertificateFolder | undefined> {
  if (config.tlsCertificates === undefined) {
    const warning = 'The hop is in clear: give --tls-certificates, so that sidecars can be known and are not overheard';
    if (config.mode === 'istio') logger.warn(warning);
    return undefined;
  }
  const onProblem = (problem: object): void => logger.warn(problem, 'Certificates');
  const folder = new CertificateFolder({ path: config.tlsCertificates, onProblem });
  folder.onChange(({ id, validUntil }) =>
    logger.info({ identity: id.uri, validUntil: new Date(validUntil) }, 'Certificates loaded'),
  );
  await folder.start();
  return folder;
}

/** Routing table and access logs, over one connection. */
function connectController(config: EgressConfig, parts: ControllerParts) {
  const { node, metrics, neverRelay, report, refusals, logger } = parts;
  const client = controllerClient(config, parts.certificates);
  const onChange = (stream: 'ads' | 'als') => (isOpen: boolean, reason: string) => {
    metrics.controllerConnected(stream, isOpen);
    logger.info({ stream, controller: config.controller, reason }, isOpen ? 'Connected' : 'Disconnected');
  };
  const table = new TableClient({
    client,
    nodeId: node,
    asksEndpoints: config.mode === 'direct',
    isNeverRelayed: (endpoint) => neverRelay.has(endpoint),
    onChange: onChange('ads'),
    onRejected: (resource, reason) => {
      metrics.tableRejected();
      logger.warn({ resource, reason }, 'Refused a resource of the routing table; its last good version stays');
    },
  });
  const accessLogs = new AlsClient({
    client,
    nodeId: node,
    report,
    refusals,
    intervalMs: config.reportIntervalSeconds * 1_000,
    onChange: onChange('als'),
    onWritten: (entries) => metrics.reported(entries),
  });
  const leave = async (): Promise<void> => {
    await accessLogs.finish();
    table.stop();
    client.close();
  };
  return { table, accessLogs, leave };
}

interface RelayParts extends Parts {
  readonly limits: Limits;
  readonly table: TableClient;
}

function createRelay(config: EgressConfig, parts: RelayParts): Relay {
  const { metrics, report, refusals, limits, table, certificates, logger } = parts;
  const dialler = new Dialler({
    balancer: new Balancer(),
    timeoutMs: DIAL_TIMEOUT_MS,
    onAttempt: (result) => metrics.dialled(result),
  });
  return new Relay({
    door: {
      sources: new AddressSet(config.sourceCidrs),
      limits,
      ...(certificates && { hop: createHop(config, certificates, table) }),
      onRefused: (reason, peer, detail) => {
        metrics.refused(reason);
        refusals.add(reason, peer);
        logger.debug({ reason, peer, detail }, 'Refused');
      },
    },
    session: {
      mode: config.mode,
      routing: { table: table.view, isNeverRelayed: neverRelayed(config, parts) },
      identities: table.currentIdentities,
      dialler,
      report,
      metrics,
      bufferBytes: config.bufferBytes,
    },
  });
}

function createHop(config: EgressConfig, certificates: CertificateFolder, table: TableClient): Hop {
  const { trustDomainAliases } = config;
  return new Hop(certificates, () => ({ trustDomainAliases, identities: table.currentIdentities }));
}

function neverRelayed({ mode, namespace }: EgressConfig, { neverRelay, table }: RelayParts) {
  const { view, identities } = table;
  const isOurs = (destination: SocketAddress): boolean =>
    mode === 'istio' && isOwnInstallation(destination, { namespace, table: view, identities });
  return (destination: SocketAddress): boolean => neverRelay.has(destination) || isOurs(destination);
}

function createNeverRelay(config: EgressConfig, seams: EgressSeams): NeverRelay {
  return new NeverRelay({
    cidrs: seams.neverRelayedCidrs,
    linkLocalAllow: config.linkLocalAllow,
    ownAddresses: [config.address, config.listen.address],
    controllerHost: config.controller.address,
    ownPorts: config.mode === 'istio' ? SIDECAR_PORTS : [],
  });
}

interface CheckedParts {
  readonly relay: Relay;
  readonly table: TableClient;
  readonly certificates: CertificateFolder | undefined;
  readonly isGraceOver: boolean;
}

function checks({ relay, table, certificates, isGraceOver }: CheckedParts): readonly HealthCheck[] {
  const tableMessage = table.isLoaded ? `${table.size} service ports` : 'not received from the controller yet';
  return [
    {
      name: 'relay',
      isPassed: relay.isListening,
      isRequired: true,
      message: relay.isListening ? `${relay.size} connections` : 'not listening, or draining',
    },
    { name: 'table', isPassed: table.isLoaded, isRequired: !isGraceOver, message: tableMessage },
    {
      name: 'controller',
      isPassed: table.isConnected,
      isRequired: false,
      message: table.isConnected ? 'connected' : 'away: the last table stands, reports wait',
    },
    ...(certificates ? [certificateCheck(certificates)] : []),
  ];
}

function certificateCheck(certificates: CertificateFolder): HealthCheck {
  const { ok, degraded, detail } = certificates.status(Date.now());
  return { name: 'certificates', isPassed: ok && !degraded, isRequired: !ok, message: detail };
}

async function listen(server: ReturnType<typeof createHealthServer>, at: SocketAddress): Promise<SocketAddress> {
  server.listen(at.port, at.address);
  await once(server, 'listening').catch((error: unknown) => {
    throw LazyscopeError.from('InvalidConfiguration', `--http-listen ${socketAddressText(at)}`, error);
  });
  const { address, port } = server.address() as AddressInfo;
  return { address, port };
}
