/** Prometheus metrics. Hot paths count in plain numbers, which are read when somebody scrapes. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { DoorRefusal } from './door.ts';

/** Counted on hot paths, since start. */
export interface Traffic {
  connections: number;
  requests: number;
  /** Source to destination. */
  bytesSent: number;
  /** Destination to source. */
  bytesReceived: number;
  /** Connections whose HTTP observer has given up. */
  observersGivenUp: number;
  /** How often one side of a connection was read no further, as much as may wait did wait for the other. */
  pauses: number;
  /** Keys that a connection reported no more, as it had shown too many others since. */
  keysCut: number;
}

/** Limits that no other metric tells of, and how often each was reached. */
interface EgressLimits {
  /** {@link Traffic.pauses} */
  readonly BufferBytes: number;
  /** {@link Traffic.keysCut} */
  readonly KeysPerConnection: number;
  readonly ReportKeys: number;
  readonly FailedDials: number;
  readonly RefusedSources: number;
  readonly HealthConnections: number;
}

/** Why an HTTP/1 connection got another upstream: its Host changed, the idle one had closed, or closed just then. */
export type ReplaceReason = 'Host' | 'Vanished' | 'Replayed';

/** Refusals that say that a limit is reached: there from the start, so that their growth can be alerted on. */
const LIMITING: readonly DoorRefusal[] = [
  'MaxConnections',
  'MaxConnectionsPerSource',
  'MaxHalfOpenPerSource',
  'HeaderTimeout',
  'BrokenHeader',
];

/** What is read from other parts at every scrape. */
export interface MetricSources {
  readonly openConnections: () => number;
  readonly tableSize: () => number;
  readonly reportKeys: () => number;
  readonly reportDropped: () => number;
  readonly limits: () => Omit<EgressLimits, 'BufferBytes' | 'KeysPerConnection'>;
  /** Milliseconds since the epoch; absent where there are none. */
  readonly certificateExpiry?: () => number | undefined;
}

/** The egress's metrics: `lazyscope_egress_*`, and Node's default ones. */
export class Metrics {
  readonly registry = new Registry();
  readonly traffic: Traffic = {
    connections: 0,
    requests: 0,
    bytesSent: 0,
    bytesReceived: 0,
    observersGivenUp: 0,
    pauses: 0,
    keysCut: 0,
  };
  readonly #refused: Counter<'reason'>;
  readonly #dials: Counter<'result'>;
  readonly #replaced: Counter<'reason'>;
  readonly #reportEntries: Counter;
  readonly #rejected: Counter;
  readonly #connected: Gauge<'stream'>;

  constructor(version: string) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge('lazyscope_egress_build_info', 'Always 1; the labels tell the version.', 'version').set({ version }, 1);
    this.#refused = this.#counter('refused_total', 'Connections that were refused, by reason.', 'reason');
    for (const reason of LIMITING) this.#refused.inc({ reason }, 0);
    this.#dials = this.#counter('dials_total', 'Upstream connection attempts, by result.', 'result');
    this.#replaced = this.#counter('upstreams_replaced_total', 'Upstreams that were replaced, by reason.', 'reason');
    this.#reportEntries = this.#counter('report_entries_total', 'Access log entries written to the controller.');
    this.#rejected = this.#counter('table_rejected_total', 'Resources of the routing table that were refused.');
    const connectedHelp = 'Whether the stream to the controller is open (ads, als).';
    this.#connected = this.#gauge('lazyscope_egress_controller_connected', connectedHelp, 'stream');
    this.#connected.set({ stream: 'ads' }, 0);
    this.#connected.set({ stream: 'als' }, 0);
    this.#readTraffic();
  }

  refused(reason: string): void {
    this.#refused.inc({ reason });
  }

  dialled(result: 'Connected' | 'Failed' | 'TimedOut'): void {
    this.#dials.inc({ result });
  }

  replaced(reason: ReplaceReason): void {
    this.#replaced.inc({ reason });
  }

  reported(entries: number): void {
    this.#reportEntries.inc(entries);
  }

  tableRejected(): void {
    this.#rejected.inc();
  }

  controllerConnected(stream: 'ads' | 'als', isOpen: boolean): void {
    this.#connected.set({ stream }, isOpen ? 1 : 0);
  }

  /** Adds what other parts hold. */
  read(sources: MetricSources): void {
    this.#readGauge('connections', 'Connections that are open now.', sources.openConnections);
    this.#readGauge('table_service_ports', 'Service ports in the routing table.', sources.tableSize);
    this.#readGauge('report_keys', 'Keys that wait for a report or carry connections.', sources.reportKeys);
    this.#readCounter('report_dropped_total', 'Report keys dropped for lack of room.', sources.reportDropped);
    this.#readLimits(sources.limits);
    if (sources.certificateExpiry) this.#readExpiry(sources.certificateExpiry);
  }

  #readTraffic(): void {
    const { traffic } = this;
    this.#readCounter('connections_total', 'Connections that reached an upstream.', () => traffic.connections);
    this.#readCounter('requests_total', 'HTTP/1 requests that were seen.', () => traffic.requests);
    this.#readCounter('sent_bytes_total', 'Bytes from sources to destinations.', () => traffic.bytesSent);
    this.#readCounter('received_bytes_total', 'Bytes from destinations to sources.', () => traffic.bytesReceived);
    this.#readCounter('observers_given_up_total', 'Not understood as HTTP.', () => traffic.observersGivenUp);
  }

  #readLimits(others: MetricSources['limits']): void {
    const { traffic } = this;
    new Counter({
      name: 'lazyscope_egress_limits_reached_total',
      help: 'How often a limit was reached that no other metric tells of, by limit.',
      labelNames: ['limit'],
      registers: [this.registry],
      collect() {
        this.reset();
        const limits: EgressLimits = { BufferBytes: traffic.pauses, KeysPerConnection: traffic.keysCut, ...others() };
        for (const [limit, count] of Object.entries(limits)) this.inc({ limit }, count);
      },
    });
  }

  /** Under one name in both programs. */
  #readExpiry(value: () => number | undefined): void {
    new Gauge({
      name: 'lazyscope_certificate_expiry_timestamp_seconds',
      help: 'When the own certificate expires; 0 while there is none.',
      registers: [this.registry],
      collect() {
        this.set((value() ?? 0) / 1_000);
      },
    });
  }

  #counter<Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `lazyscope_egress_${name}`, help, labelNames, registers: [this.registry] });
  }

  #gauge<Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  #readCounter(name: string, help: string, value: () => number): void {
    new Counter({
      name: `lazyscope_egress_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  }

  #readGauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name: `lazyscope_egress_${name}`,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }
}
