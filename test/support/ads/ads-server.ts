/** The ADS service on a gRPC server of its own, with a source that is set by hand. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import type { Problem } from '../../../controller/core/ports.ts';
import { AggregatedDiscoveryService, SERVER_OPTIONS } from '../../../controller/wire/grpc.ts';
import { type AdsService, createAdsService } from '../../../controller/xds/server.ts';
import { AdsClient } from './ads-client.ts';
import { MeshSource } from './mesh-source.ts';

export interface AdsServer {
  readonly source: MeshSource;
  readonly service: AdsService;
  readonly server: Server;
  readonly port: number;
  readonly problems: readonly Problem[];
  /** A client on a connection of its own; gone when the test ends. */
  client(pod: string): AdsClient;
  /** A metric's samples, without help and type. */
  metric(name: string): Promise<string>;
}

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
  const server = new Server(SERVER_OPTIONS);
  server.addService(AggregatedDiscoveryService, service.handlers);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    );
  });
  t.after(() => {
    server.forceShutdown();
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
