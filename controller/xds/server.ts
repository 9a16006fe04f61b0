/**
 * The delta ADS server (`envoy.service.discovery.v3.AggregatedDiscoveryService`). It asks a {@link SnapshotSource} what
 * each client should hold; until the source knows, requests are remembered and nothing is answered.
 */
import { type ServerDuplexStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { NodeIdentity, Timestamp } from '../core/model.ts';
import type { ClientStatus, DirtyClients, SnapshotSource } from '../core/ports.ts';
import { type AdsContext, AdsStream } from './ads-stream.ts';
import { createAdsMetrics } from './metrics.ts';
import { createResourceCodec } from './resource-codec.ts';
import { Turns } from './turns.ts';

export interface AdsServiceOptions {
  readonly source: SnapshotSource;
  /** Milliseconds since the epoch. */
  readonly now: () => Timestamp;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  /** Where `lazyscope_xds_*` metrics go. Default: nowhere. */
  readonly metrics?: Registry;
  /** Tells why a call is refused, or nothing. Default: none is. */
  readonly authorize?: (call: AdsCall) => string | undefined;
}

type AdsCall = ServerDuplexStream<object, object>;

export interface AdsService {
  /** To add to a gRPC server with `AggregatedDiscoveryService` of `controller/wire/grpc.ts`. */
  readonly handlers: UntypedServiceImplementation;
  /** How each connected client stands. */
  statuses(): readonly ClientStatus[];
  /** Ends every stream, so that the gRPC server can shut down; clients keep what they hold and reconnect. */
  close(): void;
}

/** Builds the service. It has no port of its own: the access log service shares the server. */
export function createAdsService(options: AdsServiceOptions): AdsService {
  const { source, now, logger, metrics = new Registry() } = options;
  const streams = new Set<AdsStream>();
  const context: AdsContext = {
    source,
    now,
    logger,
    codec: createResourceCodec(),
    metrics: createAdsMetrics(metrics, () => streams.size),
    turns: new Turns(),
    closed: (stream) => streams.delete(stream),
  };
  let lastNumber = 0;
  source.onDirty((dirty) => {
    for (const stream of streams) if (stream.node && concerns(dirty, stream.node, source)) stream.markDirty();
  });
  const handle = (call: AdsCall): void => {
    const refusal = options.authorize?.(call);
    if (refusal !== undefined) {
      context.metrics.refused('identity');
      logger.warn({ peer: call.getPeer(), details: refusal }, 'xDS stream refused');
      call.emit('error', { code: status.PERMISSION_DENIED, details: refusal });
      return;
    }
    lastNumber += 1;
    streams.add(new AdsStream(call, lastNumber, context));
  };
  return {
    handlers: { DeltaAggregatedResources: handle },
    statuses: () => [...streams].flatMap((stream) => stream.status() ?? []),
    close: () => {
      for (const stream of [...streams]) stream.close();
    },
  };
}

/** Asked anew each time: a pod's workload can change, for example when its ReplicaSet is told after it. */
function concerns(dirty: DirtyClients, node: NodeIdentity, source: SnapshotSource): boolean {
  if (dirty.all) return true;
  if (node.kind === 'egress') return dirty.egress;
  const workload = source.workloadOf(node);
  return workload !== undefined && dirty.workloads.has(workload);
}
