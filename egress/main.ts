/**
 * Composition root of `lazyscope egress`: what starts, in order, and what it feeds. Nobody imports this but the bin.
 *
 * sidecars ──PROXY v2──▶ relay ──bytes──▶ destinations
 *                         ▲ │
 *          routing table ─┘ └─▶ report ──ALS──▶ controller
 *                ▲
 *                └────────────delta ADS──────── controller
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Client, credentials } from '@grpc/grpc-js';
import { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { LazyscopeError } from '../controller/core/error.ts';
import type { SocketAddress } from '../controller/core/model.ts';
import { socketAddressText } from '../controller/core/socket-address.ts';
import { stopOnSignal } from '../controller/process/stop-on-signal.ts';
import { AddressSet } from './address.ts';
import { AlsClient } from './als-client.ts';
import { Balancer } from './balancer.ts';
import { type EgressConfig, egressConfig, egressOptions, nodeId } from './config.ts';
import { CHANNEL_OPTIONS } from './controller-stream.ts';
import { Dialler } from './dial.ts';
import { createHealthServer, type HealthCheck } from './health.ts';
import { Limits } from './limits.ts';
import { Metrics } from './metrics.ts';
import { NEVER_RELAYED_CIDRS, NeverRelay } from './never-relay.ts';
import { Relay } from './relay.ts';
import { Report } from './report.ts';
import type { RoutingView } from './routing-table.ts';
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
      process.stderr.write(`lazyscope egress cannot start: ${error instanceof Error ? error.message : error}\n`);
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

  // Whom it must never connect to: itself, the controller, what is local.
  const neverRelay = createNeverRelay(config, seams);
  await neverRelay.refresh();
  const lookUps = setInterval(() => void neverRelay.refresh(), LOOK_UP_INTERVAL_MS);

  // The controller: where everything is, and whom to tell.
  const report = new Report({ reporter: node, maxKeys: MAX_REPORT_KEYS });
  const controller = connectController(config, { node, metrics, neverRelay, report, logger });
  const { table, accessLogs } = controller;

  // The relay itself.
  const limits = new Limits(config);
  const relay = createRelay(config, { metrics, neverRelay, report, limits, logger, table: table.view });
  metrics.read({
    openConnections: () => limits.open,
    tableSize: () => table.size,
    reportKeys: () => report.size,
    reportDropped: () => report.dropped,
  });

  // Health first, so that a slow start can be watched; then sidecars may come.
  const startedAt = performance.now();
  const health = createHealthServer({
    checks: () => checks({ relay, table, isGraceOver: performance.now() - startedAt > TABLE_GRACE_MS }),
    registry: metrics.registry,
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
      health.close();
      health.closeAllConnections();
      logger.info({ cut }, 'Stopped');
    },
  };
}

interface ControllerParts {
  readonly node: string;
  readonly metrics: Metrics;
  readonly neverRelay: NeverRelay;
  readonly report: Report;
  readonly logger: Logger;
}

/** Routing table and access logs, over one connection. */
function connectController(config: EgressConfig, { node, metrics, neverRelay, report, logger }: ControllerParts) {
  const client = new Client(socketAddressText(config.controller), credentials.createInsecure(), CHANNEL_OPTIONS);
  const onChange = (stream: 'ads' | 'als') => (isOpen: boolean, reason: string) => {
    metrics.controllerConnected(stream, isOpen);
    logger.info({ stream, controller: config.controller, reason }, isOpen ? 'Connected' : 'Disconnected');
  };
  const table = new TableClient({
    client,
    nodeId: node,
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

interface RelayParts {
  readonly metrics: Metrics;
  readonly neverRelay: NeverRelay;
  readonly report: Report;
  readonly limits: Limits;
  readonly table: RoutingView;
  readonly logger: Logger;
}

function createRelay(config: EgressConfig, { metrics, neverRelay, report, limits, table, logger }: RelayParts): Relay {
  const dialler = new Dialler({
    balancer: new Balancer(),
    timeoutMs: DIAL_TIMEOUT_MS,
    onAttempt: (result) => metrics.dialled(result),
  });
  return new Relay({
    door: {
      sources: new AddressSet(config.sourceCidrs),
      limits,
      onRefused: (reason, peer, detail) => {
        metrics.refused(reason);
        logger.debug({ reason, peer, detail }, 'Refused');
      },
    },
    session: {
      mode: config.mode,
      routing: { table, isNeverRelayed: (destination) => neverRelay.has(destination) },
      dialler,
      report,
      metrics,
      bufferBytes: config.bufferBytes,
    },
  });
}

function createNeverRelay(config: EgressConfig, seams: EgressSeams): NeverRelay {
  return new NeverRelay({
    cidrs: seams.neverRelayedCidrs,
    linkLocalAllow: config.linkLocalAllow,
    ownAddresses: [config.address, config.listen.address],
    controllerHost: config.controller.address,
  });
}

interface CheckedParts {
  readonly relay: Relay;
  readonly table: TableClient;
  readonly isGraceOver: boolean;
}

function checks({ relay, table, isGraceOver }: CheckedParts): readonly HealthCheck[] {
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
  ];
}

async function listen(server: ReturnType<typeof createHealthServer>, at: SocketAddress): Promise<SocketAddress> {
  server.listen(at.port, at.address);
  await once(server, 'listening').catch((error: unknown) => {
    throw LazyscopeError.from('InvalidConfiguration', `--http-listen ${socketAddressText(at)}`, error);
  });
  const { address, port } = server.address() as AddressInfo;
  return { address, port };
}
