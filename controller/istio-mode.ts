/**
 * What Istio mode adds to the composition root: who writes the Sidecars that the pipeline wants, and how their arrival is
 * known.
 *
 * pipeline ──due writes──▶ publisher ──server-side apply──▶ API server ──▶ istiod ──▶ sidecars
 *    ▲                        │  ▲                                          │
 *    └──written, arrived──────┘  └── Lease                 probe ◀──────────┘
 */
import { randomUUID } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { credentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { ControllerConfig } from './config.ts';
import type { IstioSettings } from './core/istio/settings.ts';
import type { SocketAddress } from './core/model.ts';
import type { ArrivalProbe, ManifestWriter } from './core/publishing.ts';
import type { ReadinessCheck } from './core/report.ts';
import type { IstioPublishing } from './istio-publishing.ts';
import { IstiodProbe } from './istiod/istiod-probe.ts';
import type { Cluster } from './k8s/cluster.ts';
import { LeaderElection } from './k8s/leader-election.ts';
import { KubernetesManifestWriter } from './k8s/manifest-writer.ts';
import { Publisher, type PublisherCounts } from './publisher/publisher.ts';
import type { CertificateFolder } from './tls/certificate-folder.ts';
import { namedServerCredentials } from './tls/channel-credentials.ts';

const LEASE = 'lazyscope-controller';
/**
 * A probe that cannot tell is believed for this long: istiod may be away, and the clock would have it send both phases in
 * one push when it is back. After that the probe itself must be broken.
 */
const PROBE_PATIENCE_MS = 10 * 60_000;

/** What the pure core needs of the flags. */
export function istioSettings(config: ControllerConfig): IstioSettings {
  return {
    namespace: config.namespace,
    rootNamespace: config.istioNamespace,
    clusterDomain: config.clusterDomain,
    promotionDelayMs: config.istiod ? PROBE_PATIENCE_MS : config.promotionDelay * 1_000,
    allowPlaintextHop: config.allowPlaintextHop,
    allowRelayPastPolicies: config.allowRelayPastPolicies,
    ...(config.externalDirect ? { externalDirect: config.externalDirect } : {}),
  };
}

export interface IstioModeParts {
  readonly config: ControllerConfig;
  readonly cluster: Cluster;
  readonly publishing: IstioPublishing;
  /** Absent: istiod is asked in clear. */
  readonly certificates: CertificateFolder | undefined;
  readonly logger: Logger;
}

export interface IstioMode {
  readonly counts: PublisherCounts;
  checks(): readonly ReadinessCheck[];
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Not started yet. */
export function createIstioMode({ config, cluster, publishing, certificates, logger }: IstioModeParts): IstioMode {
  warn(config, logger);
  const writer = new KubernetesManifestWriter({ cluster, log: logger });
  const identity = `${config.identity}_${randomUUID()}`;
  const leadership = new LeaderElection({ cluster, namespace: config.namespace, name: LEASE, identity });
  leadership.onChange((isLeader) => logger.info({ identity }, isLeader ? 'Leading' : 'Not leading'));
  const probe = createProbe(config, { writer, publishing, certificates, logger });
  const publisher = new Publisher({
    source: publishing,
    writer,
    leadership,
    ...(probe ? { probe } : {}),
    onUnconfirmed: (error) => publishing.unconfirmed(error),
    now: Date.now,
  });
  publishing.onEvent((event) => {
    logger.warn({ event }, event.message);
    if (leadership.isLeader) void writer.event(event);
  });
  return {
    counts: publisher.counts,
    checks: () => leadership.checks(),
    start: async () => {
      await probe?.start();
      publisher.start();
    },
    stop: async () => {
      await publisher.stop();
      await probe?.stop();
    },
  };
}

/** What an operator has given up knowingly should still be seen. */
function warn(config: ControllerConfig, logger: Logger): void {
  if (config.allowPlaintextHop) {
    logger.warn(
      '--allow-plaintext-hop: sidecars may reach the egress without mTLS; whoever is on the path can read it',
    );
  }
  if (config.allowRelayPastPolicies) {
    logger.warn('--allow-relay-past-policies: policies that look at the caller see the egress on first connections');
  }
  if (config.tlsCertificates === undefined) {
    logger.warn('no --tls-certificates: whoever reaches the gRPC port can teach edges and read the mesh');
  }
}

interface ProbeParts {
  readonly writer: ManifestWriter;
  readonly publishing: IstioPublishing;
  readonly certificates: CertificateFolder | undefined;
  readonly logger: Logger;
}

function createProbe(config: ControllerConfig, parts: ProbeParts): ArrivalProbe | undefined {
  const { istiod, istiodServerName, namespace, clusterDomain } = config;
  if (!istiod) return undefined;
  const { writer, publishing, certificates, logger } = parts;
  return new IstiodProbe({
    istiods: async () => publishing.endpointsOf(istiod) ?? addressesOf(istiod),
    ...(certificates
      ? { credentials: namedServerCredentials(certificates), serverName: istiodServerName }
      : { credentials: credentials.createInsecure() }),
    writer,
    namespace,
    clusterDomain,
    logger,
  });
}

/** What is no Service of the mesh: the name has an address for every replica, or there is one. */
async function addressesOf({ address, port }: SocketAddress): Promise<readonly SocketAddress[]> {
  const found = await lookup(address, { all: true });
  return found.map((one) => ({ address: one.address, port }));
}
