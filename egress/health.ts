/** `/livez`, `/readyz?verbose` and `/metrics`. */
import type { Server, ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';

/** Far more than probes and scrapers make. */
const MAX_CONNECTIONS = 1_000;

/** One line of `/readyz?verbose`. */
export interface HealthCheck {
  readonly name: string;
  readonly isPassed: boolean;
  /** Whether traffic should stay away while it has not passed. */
  readonly isRequired: boolean;
  readonly message: string;
}

export interface HealthOptions {
  readonly checks: () => readonly HealthCheck[];
  readonly registry: Registry;
  /** Connections at a time; default 1,000. */
  readonly maxConnections?: number;
  /** A connection was closed unanswered, as there were too many. */
  readonly onDropped: () => void;
}

/** An HTTP server, not yet listening. */
export function createHealthServer(options: HealthOptions): Server {
  // An import would read every export of the module, some of which load the whole of `fetch`: megabytes.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://egress');
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(response, 405, 'Only GET is served.\n');
    else if (url?.pathname === '/livez') answer(response, 200, 'ok\n');
    else if (url?.pathname === '/readyz') answerReady(response, options.checks(), url.searchParams.has('verbose'));
    else if (url?.pathname === '/metrics') answerMetrics(response, options.registry);
    else answer(response, 404, 'Served here: /livez, /readyz?verbose, /metrics\n');
  });
  server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
  server.on('drop', () => {
    // Whoever keeps connections without using them must not keep probes out.
    server.closeIdleConnections();
    options.onDropped();
  });
  return server;
}

function answerReady(response: ServerResponse, checks: readonly HealthCheck[], verbose: boolean): void {
  const isReady = checks.every((check) => check.isPassed || !check.isRequired);
  const lines = checks.map((check) => `[${mark(check)}] ${check.name}: ${check.message}\n`);
  const verdict = isReady ? 'ready\n' : 'not ready\n';
  answer(response, isReady ? 200 : 503, verbose || !isReady ? `${lines.join('')}${verdict}` : verdict);
}

/** `!` is degraded: worth a look, no reason to send traffic elsewhere. */
function mark({ isPassed, isRequired }: HealthCheck): '+' | '-' | '!' {
  if (isPassed) return '+';
  return isRequired ? '-' : '!';
}

function answerMetrics(response: ServerResponse, registry: Registry): void {
  registry.metrics().then(
    (text) => answer(response, 200, text, registry.contentType),
    (error: unknown) => answer(response, 500, `Metrics cannot be read: ${error}\n`),
  );
}

function answer(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
