import { Counter, type Registry } from 'prom-client';

/**
 * Adds `lazyscope_limits_reached_total`: limits that no other metric tells of.
 * @param limits how often each was reached since start, by its name; read when metrics are scraped
 */
export function addLimitMetrics(registry: Registry, limits: () => Readonly<Record<string, number>>): void {
  new Counter({
    name: 'lazyscope_limits_reached_total',
    help: 'How often a limit was reached that no other metric tells of, by limit.',
    labelNames: ['limit'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [limit, count] of Object.entries(limits())) this.inc({ limit }, count);
    },
  });
}
