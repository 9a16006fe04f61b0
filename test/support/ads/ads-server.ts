/** The ADS service on a gRPC server of its own, with a source that is set by hand. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Problem } from '../../../controller/core/ports.ts';
import { createGrpcServer, type GrpcServer } from '../../../controller/wire/grpc-server.ts';
import { type AdsService, createAdsService } from '../../../controller/xds/server.ts';
import { AdsClient } from './ads-client.ts';
import { MeshSource } from './mesh-source.ts';

export interface AdsServer {
  readonly source: MeshSource;
  readonly service: AdsService;
  readonly server: GrpcServer;
  readonly port: number;
  readonly problems: readonly Problem[];
  /** A client on a connection of its own; gone when the test ends. */
  client(pod: string): AdsClient;
  /** A metric's samples, without help and type. */
  metric(name: string): Promise<string>;
}

/** For a server that is to go by itself: longer than any test may take. */
export const UNENDING_MS = 3_600_000;

/** The id of a pod's sidecar in namespace `shop`. */
export function nodeId(pod: string): string {
  return `sidecar~10.0.0.1~${pod}.shop~shop.svc.cluster.local`;
}

/** Serves until the test ends; a fault of the service fails it. @param port 0: a free one */
export async function serveAds(t: TestContext, port = 0): Promise<AdsServer> {
  const source = new MeshSource();
  const registry = new Registry();
  const problems: Problem[] = [];
  const faults: string[] = [];
  const logger = pino({ level: 'error' }, { write: (text: string) => void faults.push(text) });
  const problem = (found: Problem) => void problems.push(found);
  const service = createAdsService({ source, now: Date.now, logger, metrics: registry, problem });
  const server = createGrpcServer({ discovery: service.handlers });
  const { port: bound } = await server.listen({ address: '127.0.0.1', port });
  t.after(async () => {
    await server.close(0);
    assert.deepEqual(faults, []);
  });
  return {
    source,
    service,
    server,
    port: bound,
    problems,
    client: (pod) => {
      const client = new AdsClient(bound, nodeId(pod));
      t.after(() => client.close());
      return client;
    },
    metric: async (name) => (await registry.getSingleMetricAsString(name)).split('\n').slice(2).join('\n'),
  };
}
