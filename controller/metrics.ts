/** Prometheus metrics of the learning side; the shells add their own to the same registry. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { AccessLogCounts } from './als/service.ts';
import type { DependencyState } from './core/model.ts';
import type { Pipeline } from './pipeline.ts';
import type { PublisherCounts } from './publisher/publisher.ts';

const STATES: readonly DependencyState[] = ['observed', 'warming', 'active', 'relayed', 'cooling', 'expired'];

/** A registry with Node's default metrics and `lazyscope_build_info`. */
export function createMetrics(version: string): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'lazyscope_build_info',
    help: 'Always 1; the labels tell the version.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version }, 1);
  return registry;
}

/** What comes from egresses, before it is attributed. */
function addAccessLogMetrics(registry: Registry, accessLogs: AccessLogCounts): void {
  const registers = [registry];
  new Gauge({
    name: 'lazyscope_access_log_streams',
    help: 'Open access log streams.',
    registers,
    collect() {
      this.set(accessLogs.streams);
    },
  });
  new Counter({
    name: 'lazyscope_access_log_streams_refused_total',
    help: 'Access log streams that were refused, or are not listened to: too many, or for who opened them.',
    registers,
    collect() {
      this.reset();
      this.inc(accessLogs.refused);
    },
  });
  new Counter({
    name: 'lazyscope_access_log_streams_broken_total',
    help: 'Access log streams that broke off: a connection was lost, or a message was larger than gRPC takes.',
    registers,
    collect() {
      this.reset();
      this.inc(accessLogs.broken);
    },
  });
  new Counter({
    name: 'lazyscope_access_log_messages_total',
    help: 'Messages of access log streams by what became of them.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      this.inc({ result: 'read' }, accessLogs.messages);
      this.inc({ result: 'unreadable' }, accessLogs.unreadable);
      this.inc({ result: 'oversized' }, accessLogs.oversized);
    },
  });
}

/** Metrics that are read from the pipeline when they are scraped. */
export function addLearningMetrics(registry: Registry, pipeline: Pipeline, accessLogs: AccessLogCounts): void {
  const registers = [registry];
  addAccessLogMetrics(registry, accessLogs);
  new Counter({
    name: 'lazyscope_access_log_entries_total',
    help: 'Access log entries by what became of them.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(pipeline.counts.entries)) this.inc({ result }, count);
      this.inc({ result: 'invalid' }, accessLogs.invalid);
    },
  });
  new Counter({
    name: 'lazyscope_edges_learned_total',
    help: 'Edges learned since start.',
    registers,
    collect() {
      this.reset();
      this.inc(pipeline.counts.edgesLearned);
    },
  });
  new Gauge({
    name: 'lazyscope_edges',
    help: 'Edges of the dependency graph by state.',
    labelNames: ['state'],
    registers,
    collect() {
      const counts = pipeline.edgeCounts();
      for (const state of STATES) this.set({ state }, counts.get(state) ?? 0);
    },
  });
  new Gauge({
    name: 'lazyscope_store_degraded',
    help: '1 while the store cannot be written.',
    registers,
    collect() {
      this.set(pipeline.readiness().some(({ degraded }) => degraded) ? 1 : 0);
    },
  });
  new Counter({
    name: 'lazyscope_problems_total',
    help: 'Bad input that was skipped; the API names the newest.',
    registers,
    collect() {
      this.reset();
      this.inc(pipeline.problemsTotal);
    },
  });
}

/** What Istio mode writes. */
export function addPublishingMetrics(registry: Registry, counts: PublisherCounts): void {
  const registers = [registry];
  new Counter({
    name: 'lazyscope_writes_total',
    help: 'Writes to the API server by how they ended.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      this.inc({ result: 'written' }, counts.written);
      this.inc({ result: 'failed' }, counts.failed);
    },
  });
  new Counter({
    name: 'lazyscope_write_bursts_total',
    help: 'Bursts in which writes were made.',
    registers,
    collect() {
      this.reset();
      this.inc(counts.bursts);
    },
  });
  new Counter({
    name: 'lazyscope_probes_total',
    help: 'Questions to the probe whether writes have reached the sidecars, by what came of them.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const [result, count] of Object.entries(counts.confirmations)) this.inc({ result }, count);
    },
  });
}
