/** Metrics of the ADS server. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { DeltaResponse } from '../core/delta/discovery.ts';
import { RESOURCE_TYPES, type ResourceType } from '../core/model.ts';
import { shortTypeName } from './discovery-messages.ts';

/** What one stream counts. */
export interface AdsMetrics {
  pushed(response: DeltaResponse): void;
  rejected(type: ResourceType): void;
  /** A stream that was refused, or a request that was ignored; `reason` is one of a few words. */
  refused(reason: string): void;
}

/** Numbers of open streams, asked for when metrics are scraped. */
export interface StreamCounts {
  readonly all: () => number;
  /** Those with a node id that another one has too. */
  readonly sharing: () => number;
}

export function createAdsMetrics(registry: Registry, streams: StreamCounts): AdsMetrics {
  const registers = [registry];
  const labelNames = ['type'] as const;
  /** Counted apart, as prom-client's labels take longer than what is counted. */
  const sent = new Map(RESOURCE_TYPES.map((type) => [type, { responses: 0, bytes: 0 }]));
  new Counter({
    name: 'lazyscope_xds_push_total',
    help: 'Discovery responses sent, by resource type.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [type, { responses }] of sent) this.inc({ type: shortTypeName(type) }, responses);
    },
  });
  new Counter({
    name: 'lazyscope_xds_push_bytes_total',
    help: 'Bytes of the resources in discovery responses, by resource type.',
    labelNames,
    registers,
    collect() {
      this.reset();
      for (const [type, { bytes }] of sent) this.inc({ type: shortTypeName(type) }, bytes);
    },
  });
  const nacks = new Counter({
    name: 'lazyscope_xds_nack_total',
    help: 'Discovery responses that a client rejected, by resource type.',
    labelNames,
    registers,
  });
  const refusals = new Counter({
    name: 'lazyscope_xds_refused_total',
    help: 'xDS streams refused and requests ignored, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  new Gauge({
    name: 'lazyscope_xds_clients',
    help: 'Connected xDS clients.',
    registers,
    collect() {
      this.set(streams.all());
    },
  });
  new Gauge({
    name: 'lazyscope_xds_clients_sharing_node',
    help: 'Connected xDS clients with a node id that another connected client has too.',
    registers,
    collect() {
      this.set(streams.sharing());
    },
  });
  for (const type of RESOURCE_TYPES.map(shortTypeName)) nacks.inc({ type }, 0);
  return {
    pushed: ({ type, resources }) => {
      const counts = sent.get(type);
      if (!counts) return;
      counts.responses += 1;
      for (const resource of resources) counts.bytes += resource.bytes.length;
    },
    rejected: (type) => nacks.inc({ type: shortTypeName(type) }),
    refused: (reason) => refusals.inc({ reason }),
  };
}
