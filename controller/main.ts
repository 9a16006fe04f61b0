/**
 * Composition root of `lazyscope controller`: what starts, in order, and what it feeds. Nobody imports this but the bin.
 *
 * files or API server ──events──▶ pipeline ──snapshots──▶ ADS ──▶ Envoys and egresses
 * ALS ──────────────────entries──▶    │ ▲ └──Sidecars──▶ istio-mode.ts
 *                                     ▼ └──reports── HTTP API
 *                                   store
 */
import { createHash } from 'node:crypto';
import { setLogger } from '@grpc/grpc-js';
import { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { createAccessLogService } from './als/service.ts';
import { workloadBootstrap } from './bootstraps.ts';
import { type ControllerConfig, type ControllerOptions, controllerConfig, controllerOptions } from './config.ts';
import { LazyscopeError, reasonOf } from './core/error.ts';
import { type IstioSettings, MESH_CONFIG } from './core/istio/settings.ts';
import type { Mode } from './core/model.ts';
import type { MeshSource, Problem, Store } from './core/ports.ts';
import type { ReadinessCheck } from './core/report.ts';
import { SnapshotBuilder } from './core/snapshot/snapshot.ts';
import { FilesSource } from './files/files-source.ts';
import { createHttpServer } from './http/server.ts';
import { createIstioMode, type IstioMode, istioSettings } from './istio-mode.ts';
import { connectCluster } from './k8s/cluster.ts';
import { KubernetesSource } from './k8s/kubernetes-source.ts';
import { addLimitMetrics } from './limit-metrics.ts';
import { addLearningMetrics, addPublishingMetrics, createMetrics } from './metrics.ts';
import { Pipeline } from './pipeline.ts';
import { keepHeapSmall } from './process/heap.ts';
import { type Stoppable, stopOnSignal } from './process/stop-on-signal.ts';
import { StartPhases } from './start-phases.ts';
import { MemoryStore } from './store/memory.ts';
import { SqliteStore } from './store/sqlite.ts';
import { CertificateFolder } from './tls/certificate-folder.ts';
import { egressAuthorization } from './tls/peer-authorization.ts';
import { serverCredentials } from './tls/server-credentials.ts';
import { createGrpcServer } from './wire/grpc-server.ts';
import { encode } from './wire/messages.ts';
import { createAdsService } from './xds/server.ts';

/** @param version of the program, for metrics and OpenAPI */
export function controllerCommand(version: string): Command {
  const command = new Command('controller').description('learn who uses what, and serve each sidecar its scope');
  for (const option of controllerOptions) command.addOption(option);
  return command.action(async (options) => {
    const config = checkedConfig(command, options);
    const logger = pino({ level: config.logLevel });
    try {
      const starting = startController(config, version, logger);
      stopOnSignal(starting, logger);
      await starting;
    } catch (error) {
      // Half of it may run already: end at once rather than serve half.
      logger.fatal({ err: error }, 'Cannot start');
      process.stderr.write(`lazyscope controller cannot start: ${reasonOf(error)}\n`);
      process.exit(1);
    }
  });
}

/** Flags that do not go together are a usage error, as each of them would be. */
function checkedConfig(command: Command, options: ControllerOptions): ControllerConfig {
  try {
    return controllerConfig(options);
  } catch (error) {
    if (error instanceof LazyscopeError) command.error(`error: ${error.message}`);
    throw error;
  }
}

/** @returns what stops it: saves and lets clients leave. Nothing in the mesh changes: Envoys keep what they hold. */
export async function startController(config: ControllerConfig, version: string, logger: Logger): Promise<Stoppable> {
  logger.info({ config, version }, 'Starting');
  const start = new StartPhases();
  start.reached('loaded');
  logGrpcTo(logger);
  const now = Date.now;
  const metrics = createMetrics(version);
  const onProblem = (problem: Problem): void => logger.warn(problem, 'Skipped');

  // State: the graph is kept in the store, everything else is told again by the sources.
  const store = openStore(config, (problem) => pipeline.problem(problem));
  const snapshots = new SnapshotBuilder({ encode, hash, egress: config.egress, dialect: config.mode });
  const pipeline: Pipeline = new Pipeline({ store, snapshots, now, onProblem, ...modeOf(config) });

  // Egresses tell what they relayed; Envoys and egresses ask what they should hold.
  const problem = (found: Problem): void => pipeline.problem(found);
  const certificates = certificateFolder(config, problem);
  const guard = egressGuard(config, certificates);
  const accessLogs = createAccessLogService({ sink: pipeline, problem, now, ...guard });
  const ads = createAdsService({ source: pipeline, now, logger, metrics, problem, ...guard });
  const services = { accessLogs: accessLogs.handlers, discovery: ads.handlers };
  const grpc = createGrpcServer({ ...services, ...grpcCredentials(certificates) });
  pipeline.reportClients(() => ads.statuses());
  addLearningMetrics(metrics, pipeline, accessLogs.counts);

  // Where objects come from, and in Istio mode go to.
  const parts: MeshParts = { pipeline, certificates, logger, start };
  const { source, istio } = await openMesh(config, parts);
  if (istio) addPublishingMetrics(metrics, istio.counts);

  // People and Prometheus ask over HTTP; it answers from the start, so that a slow start can be watched.
  const http = createHttpServer({
    readModel: pipeline.reports,
    readiness: () => readiness({ pipeline, source, istio, certificates }),
    forget: (workload, service) => pipeline.forget(workload, service),
    bootstrap: (workload, request) => workloadBootstrap(pipeline.reports, config, workload, request),
    metrics,
    version,
    logger,
  });
  addLimitMetrics(metrics, () => ({ ...pipeline.limitsReached, ...http.limits, ...grpc.limits }));
  const httpAddress = await http.listen(config.httpListen);
  start.reached('http');

  // Graph and mesh, in whichever order: until both are complete no client is told anything. The API server is asked
  // before the store is read, so that it works meanwhile.
  const serving = Promise.withResolvers<void>();
  followMesh(source, serving.promise, parts);
  await Promise.all([pipeline.start().then(() => start.reached('graph')), certificates?.start()]);
  const grpcAddress = await grpc.listen(config.grpcListen);
  start.reached('grpc');
  logger.info({ http: httpAddress, grpc: grpcAddress }, 'Listening');
  serving.resolve();

  await istio?.start();

  const stopServers = async (): Promise<void> => {
    ads.close();
    accessLogs.close();
    await Promise.all([grpc.close(config.drainSeconds * 1_000), http.close()]);
  };
  return { stop: () => stop({ source, istio }, stopServers, parts) };
}

async function stop(
  { source, istio }: Mesh,
  stopServers: () => Promise<void>,
  { pipeline, certificates, logger }: MeshParts,
): Promise<void> {
  logger.info('Draining');
  await istio?.stop();
  await source.stop();
  await stopServers();
  await pipeline.stop();
  certificates?.stop();
  logger.info('Stopped');
}

/** Begins to follow the mesh; once all of it is known and everything is served, says how long that took. */
function followMesh(source: MeshSource, serving: Promise<void>, { pipeline, logger, start }: MeshParts): void {
  const follow = async (): Promise<void> => {
    await source.start(pipeline);
    start.reached('synced');
    logger.info(pipeline.reports.mesh(), 'Synced');
    await serving;
    logger.info(start.report(), 'Started');
    keepHeapSmall();
  };
  follow().catch((error: unknown) => logger.error({ err: error }, 'The source stopped'));
}

/** grpc-js writes to stderr by itself; what matters to operators reaches them as errors of calls. */
function logGrpcTo(logger: Logger): void {
  const log = (...message: readonly unknown[]): void => logger.debug({ grpc: message.join(' ') }, 'gRPC');
  setLogger({ error: log, info: log, debug: log });
}

function openStore(config: ControllerConfig, onProblem: (problem: Problem) => void): Store {
  return config.store === 'memory' ? new MemoryStore() : new SqliteStore({ path: config.storePath, onProblem });
}

/** Half of SHA-256: versions must differ when content does, nobody forges them. */
function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

/** Direct mode enforces what points at it; in Istio mode nothing changes until somebody asks for it. */
function modeOf(config: ControllerConfig): { readonly defaultMode: Mode; readonly istio?: IstioSettings } {
  return config.mode === 'istio'
    ? { defaultMode: 'Observe', istio: istioSettings(config) }
    : { defaultMode: 'Enforce' };
}

interface MeshParts {
  readonly pipeline: Pipeline;
  readonly certificates: CertificateFolder | undefined;
  readonly logger: Logger;
  readonly start: StartPhases;
}

interface Mesh {
  readonly source: MeshSource & { checks(): readonly ReadinessCheck[] };
  readonly istio: IstioMode | undefined;
}

async function openMesh(config: ControllerConfig, { pipeline, certificates, logger, start }: MeshParts): Promise<Mesh> {
  const { clusterDomain, kubeconfig, mode, namespace, path } = config;
  if (path !== undefined && config.source === 'files') {
    const files = new FilesSource({ path, clusterDomain });
    return { source: Object.assign(files, { checks: () => [] }), istio: undefined };
  }
  const cluster = await connectCluster(kubeconfig === undefined ? {} : { kubeconfig });
  const meshConfig = config.externalDirect && { namespace: config.istioNamespace, name: MESH_CONFIG };
  const source = new KubernetesSource({
    cluster,
    clusterDomain,
    mode,
    namespace,
    onListed: (resource) => start.listed(resource),
    ...(meshConfig ? { meshConfig } : {}),
  });
  const { publishing } = pipeline;
  const istio = publishing && createIstioMode({ config, cluster, publishing, certificates, logger });
  return { source, istio };
}

function certificateFolder(
  { tlsCertificates: path }: ControllerConfig,
  onProblem: (problem: Problem) => void,
): CertificateFolder | undefined {
  return path === undefined ? undefined : new CertificateFolder({ path, onProblem });
}

/** In clear where there are no certificates. */
function grpcCredentials(folder: CertificateFolder | undefined) {
  return folder ? { credentials: serverCredentials(folder) } : {};
}

/** Who may open streams, where certificates tell. */
function egressGuard({ namespace }: ControllerConfig, folder: CertificateFolder | undefined) {
  return folder ? { authorize: egressAuthorization({ folder, namespace }) } : {};
}

interface ReadinessParts extends Mesh {
  readonly pipeline: Pipeline;
  readonly certificates: CertificateFolder | undefined;
}

function readiness({ pipeline, source, istio, certificates }: ReadinessParts): readonly ReadinessCheck[] {
  const ofCertificates = certificates ? [{ name: 'certificates', ...certificates.status(Date.now()) }] : [];
  return [...pipeline.readiness(), ...source.checks(), ...ofCertificates, ...(istio?.checks() ?? [])];
}
