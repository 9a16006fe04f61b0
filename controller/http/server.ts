/** The controller's HTTP server: API, health and metrics on one port. */
import swagger from '@fastify/swagger';
import { type FastifyError, type FastifyInstance, fastify } from 'fastify';
import type { Logger } from 'pino';
import { LazyscopeError } from '../core/error.ts';
import type { SocketAddress } from '../core/model.ts';
import { type Api, meshRoutes, workloadRoutes } from './api.ts';
import { failure, failureOf } from './failure.ts';
import { type ForgetApi, forgetRoute } from './forget.ts';
import { type Health, healthRoutes } from './health.ts';
import { hostGuard } from './host-guard.ts';
import { openApiOptions } from './openapi.ts';
import { useZod } from './zod-provider.ts';

/** What the server answers from, and where it tells of failures. */
export interface HttpServerOptions extends Api, ForgetApi, Health {
  /** Connections at a time; default 1,000. */
  readonly maxConnections?: number;
  readonly logger: Logger;
  /** Version of the program, for OpenAPI. */
  readonly version: string;
}

export interface HttpServer {
  /** How often each limit was reached: connections were closed unanswered, requests were too large. */
  readonly limits: Readonly<HttpLimits>;
  /**
   * Starts to accept; resolves with the bound address (port 0 is any free one).
   * @throws LazyscopeError `InvalidConfiguration` when the address cannot be used.
   */
  listen(address: SocketAddress): Promise<SocketAddress>;
  /** Stops to accept, ends open requests, closes idle connections. */
  close(): Promise<void>;
}

interface HttpLimits {
  HttpConnections: number;
  HttpBodyBytes: number;
}

/** Far more than people, probes and scrapers make. */
const MAX_CONNECTIONS = 1_000;
/** The largest body that we take names one service. */
const MAX_BODY_BYTES = 64 * 1024;
/** Kubernetes names may have 253 characters; fastify's default cuts parameters at 100. */
const maxParamLength = 253;

/** Builds the server; nothing is bound before {@link HttpServer.listen}. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const bodyLimit = MAX_BODY_BYTES;
  const app = fastify({ logger: false, routerOptions: { maxParamLength }, requestTimeout: 10_000, bodyLimit });
  const limits: HttpLimits = { HttpConnections: 0, HttpBodyBytes: 0 };
  limitConnections(app, options.maxConnections ?? MAX_CONNECTIONS, limits);
  let mayAnswer = hostGuard('localhost');
  useZod(app);
  answerFailures(app, options.logger, limits);
  app.addHook('onRequest', async ({ headers }, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    if (mayAnswer(headers.host)) return;
    const { status, body } = failure(
      403,
      'Forbidden',
      'This Host is not answered on loopback; use 127.0.0.1 or localhost.',
    );
    return reply.code(status).send(body);
  });
  app.register(swagger, openApiOptions(options.version));
  app.after(() => {
    meshRoutes(app, options);
    workloadRoutes(app, options);
    forgetRoute(app, options);
    healthRoutes(app, options);
    app.get('/api/v1/openapi.json', { schema: { hide: true } }, (_request, reply) => reply.send(app.swagger()));
  });
  return {
    limits,
    listen: async (address) => {
      mayAnswer = hostGuard(address.address);
      return listen(app, address);
    },
    close: () => app.close(),
  };
}

function limitConnections(app: FastifyInstance, most: number, limits: HttpLimits): void {
  app.server.maxConnections = most;
  app.server.on('drop', () => {
    // Whoever keeps connections without using them must not keep probes out.
    app.server.closeIdleConnections();
    limits.HttpConnections += 1;
  });
}

async function listen(app: FastifyInstance, { address, port }: SocketAddress): Promise<SocketAddress> {
  try {
    await app.listen({ host: address, port });
  } catch (caught) {
    throw LazyscopeError.from(
      'InvalidConfiguration',
      `HTTP cannot be served on ${address}:${port} (choose another address with --http-listen)`,
      caught,
    );
  }
  const bound = app.server.address();
  return { address, port: typeof bound === 'object' && bound !== null ? bound.port : port };
}

/** Logs name the route, never the URL as sent: what was asked for is nobody else's business. */
function answerFailures(app: FastifyInstance, logger: Logger, limits: HttpLimits): void {
  app.setErrorHandler((caught: FastifyError | LazyscopeError, request, reply) => {
    const { status, body } = failureOf(caught);
    if (status === 413) limits.HttpBodyBytes += 1;
    const fields = { method: request.method, route: request.routeOptions.url, status };
    if (status >= 500) logger.error({ ...fields, err: caught }, 'Request failed');
    else logger.debug({ ...fields, code: body.error.code }, 'Request refused');
    reply.code(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) => {
    const { status, body } = failure(404, 'NotFound', 'No such path. What there is stands in /api/v1/openapi.json.');
    reply.code(status).send(body);
  });
}
