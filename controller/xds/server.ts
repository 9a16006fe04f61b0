/**
 * The delta ADS server (`envoy.service.discovery.v3.AggregatedDiscoveryService`). It asks a {@link SnapshotSource} what
 * each client should hold; until the source knows, requests are remembered and nothing is answered.
 */
import { type ServerDuplexStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { NodeIdentity, Timestamp } from '../core/model.ts';
import type { ClientStatus, Problem, SnapshotSource } from '../core/ports.ts';
import { type AdsContext, AdsStream } from './ads-stream.ts';
import { createAdsMetrics } from './metrics.ts';
import { NodeIds } from './node-ids.ts';
import { createResourceCodec } from './resource-codec.ts';
import { Turns } from './turns.ts';

export interface AdsServiceOptions {
  readonly source: SnapshotSource;
  /** Milliseconds since the epoch. */
  readonly now: () => Timestamp;
  readonly logger: Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
  /** Told what operators have to put right. Default: nobody. */
  readonly problem?: (problem: Problem) => void;
  /** Where `lazyscope_xds_*` metrics go. Default: nowhere. */
  readonly metrics?: Registry;
  /** Tells why a call is refused, or nothing. Default: none is. */
  readonly authorize?: (call: AdsCall) => string | undefined;
  /** Streams at a time. Default 20,000. */
  readonly maxStreams?: number;
  /** Milliseconds within which a client must say who it is. Default 10,000. */
  readonly introductionMs?: number;
}

/** More sidecars than one controller serves: it holds what each of them has. */
const MAX_STREAMS = 20_000;
/** Envoy does with the first message, at once; streams of those who never do must not use up all that there are. */
const INTRODUCTION_MS = 10_000;

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
  const { source, now, logger, metrics = new Registry(), problem } = options;
  const { maxStreams = MAX_STREAMS, introductionMs = INTRODUCTION_MS } = options;
  /** By number. */
  const streams = new Map<number, AdsStream>();
  const nodeIds = new NodeIds<AdsStream>();
  const context: AdsContext = {
    source,
    now,
    logger,
    codec: createResourceCodec(),
    metrics: createAdsMetrics(metrics, { all: () => streams.size, sharing: () => nodeIds.sharing }),
    turns: new Turns(),
    introductionMs,
    identified: (stream) => {
      const elsewhere = nodeIds.add(stream);
      if (stream.node && elsewhere.length > 0) problem?.(copied(stream.node, [...elsewhere, stream.address]));
    },
    closed: (stream) => {
      streams.delete(stream.number);
      nodeIds.delete(stream);
    },
  };
  let lastNumber = 0;
  source.onDirty((dirty) => {
    for (const number of source.streamsOf(dirty)) streams.get(number)?.markDirty();
  });
  const refuse = (call: AdsCall, code: status, reason: string, details: string): void => {
    context.metrics.refused(reason);
    logger.warn({ peer: call.getPeer(), details }, 'xDS stream refused');
    call.emit('error', { code, details });
  };
  const handle = (call: AdsCall): void => {
    const unauthorized = options.authorize?.(call);
    if (unauthorized !== undefined) {
      refuse(call, status.PERMISSION_DENIED, 'identity', unauthorized);
      return;
    }
    if (streams.size >= maxStreams) {
      refuse(call, status.RESOURCE_EXHAUSTED, 'streams', `${streams.size} streams are open`);
      return;
    }
    lastNumber += 1;
    streams.set(lastNumber, new AdsStream(call, lastNumber, context));
  };
  return {
    handlers: { DeltaAggregatedResources: handle },
    statuses: () => [...streams.values()].flatMap((stream) => stream.status() ?? []),
    close: () => {
      for (const stream of [...streams.values()]) stream.close();
    },
  };
}

function copied({ id, namespace, pod }: NodeIdentity, addresses: string[]): Problem {
  const reason =
    `node.id is used by clients at ${addresses.sort().join(', ')} at the same time; all are served as ` +
    `pod ${namespace}/${pod}; give each a node.id of its own (was a bootstrap copied?)`;
  return { subject: `xDS client ${id}`, reason };
}
