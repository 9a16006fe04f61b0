import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { CLUSTER } from '../../controller/core/model.ts';
import { AggregatedDiscoveryService } from '../../controller/wire/grpc.ts';
import { CHANNEL_OPTIONS } from '../../egress/controller-stream.ts';

/** Ten thousand clusters with what the egress must know of each. */
const RESOURCES = Array.from({ length: 10_000 }, (_, at) => ({
  name: `outbound|80||service-${at}.shop.svc.cluster.local`,
  resource: { type_url: CLUSTER, value: Buffer.alloc(600) },
}));

it('takes the routing table of 10,000 services in one message', async () => {
  const server = new Server();
  const handlers: UntypedServiceImplementation = {
    DeltaAggregatedResources: (call: ServerDuplexStream<object, object>) => {
      call.write({ type_url: CLUSTER, resources: RESOURCES });
    },
  };
  server.addService(AggregatedDiscoveryService, handlers);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  const client = new Client(`127.0.0.1:${await promise}`, credentials.createInsecure(), CHANNEL_OPTIONS);
  const { path, requestSerialize, responseDeserialize } = AggregatedDiscoveryService.DeltaAggregatedResources;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata());
  const [response] = (await once(call, 'data')) as [{ readonly resources: readonly object[] }];
  assert.equal(response.resources.length, RESOURCES.length);
  call.on('error', () => undefined);
  client.close();
  server.forceShutdown();
});
