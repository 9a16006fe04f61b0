/** A real server on a free port for one test. */
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { LazyscopeError } from '../../../controller/core/error.ts';
import { createHttpServer, type HttpServer, type HttpServerOptions } from '../../../controller/http/server.ts';
import { shop } from './shop.ts';

/** A server that is not listening; what is not given is a healthy shop. */
export function shopServer(options: Partial<HttpServerOptions> = {}): HttpServer {
  return createHttpServer({
    forget: () => 0,
    readModel: shop,
    readiness: () => [{ name: 'registry', ok: true, detail: 'synced' }],
    metrics: new Registry(),
    bootstrap: (workload, request) => {
      if (shop.workload(workload) === undefined) throw new LazyscopeError('NotFound', `No workload ${workload}.`);
      return { node: { id: workload }, request };
    },
    logger: pino({ level: 'silent' }),
    version: '0.0.0',
    ...options,
  });
}

/** Starts {@link shopServer}, closes it with the test, returns its base URL. */
export async function startServer(test: TestContext, options: Partial<HttpServerOptions> = {}): Promise<string> {
  const server = shopServer(options);
  test.after(() => server.close());
  const { address, port } = await server.listen({ address: '127.0.0.1', port: 0 });
  return `http://${address}:${port}`;
}
