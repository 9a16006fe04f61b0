/** `/livez`, `/readyz` and `/metrics`: what Kubernetes and Prometheus ask. */
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { ReadinessCheck } from '../core/report.ts';
import { noQuery, readinessQuery } from './queries.ts';
import type { ZodTypeProvider } from './zod-provider.ts';

/** From here on a restart is better than waiting. */
const maxLoopLagMilliseconds = 5_000;

/** What the health endpoints show. */
export interface Health {
  readonly readiness: () => readonly ReadinessCheck[];
  readonly metrics: Registry;
  /** Milliseconds that one turn of the event loop takes now. Default: measured. */
  readonly loopLag?: () => Promise<number>;
}

async function measureLoopLag(): Promise<number> {
  const start = performance.now();
  await delay(0);
  return performance.now() - start;
}

function isReady({ ok, degraded }: ReadinessCheck): boolean {
  return ok || degraded === true;
}

function line(check: ReadinessCheck): string {
  if (!isReady(check)) return `[-]${check.name}: ${check.detail}`;
  return check.degraded ? `[+]${check.name} degraded: ${check.detail}` : `[+]${check.name} ok`;
}

/** Lines as kube-apiserver writes them: `[+]name ok`, `[-]name: detail`, and the sum below. */
function verboseReadiness(checks: readonly ReadinessCheck[], ready: boolean): string {
  return [...checks.map(line), `readyz check ${ready ? 'passed' : 'failed'}`, ''].join('\n');
}

/** Adds the three routes. They are for machines, so OpenAPI does not list them. */
export function healthRoutes(server: FastifyInstance, health: Health): void {
  const app = server.withTypeProvider<ZodTypeProvider>();
  const loopLag = health.loopLag ?? measureLoopLag;

  app.get('/livez', { schema: { hide: true, querystring: noQuery } }, async (_request, reply) => {
    const lag = await loopLag();
    reply.type('text/plain; charset=utf-8');
    if (lag < maxLoopLagMilliseconds) return 'ok\n';
    reply.code(503);
    return `The event loop lags by ${Math.round(lag)} ms.\n`;
  });

  app.get('/readyz', { schema: { hide: true, querystring: readinessQuery } }, (request, reply) => {
    const checks = health.readiness();
    const ready = checks.every(isReady);
    const brief = ready && request.query.verbose === undefined;
    reply
      .code(ready ? 200 : 503)
      .type('text/plain; charset=utf-8')
      .send(brief ? 'ok\n' : verboseReadiness(checks, ready));
  });

  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(health.metrics.contentType);
    return health.metrics.metrics();
  });
}
