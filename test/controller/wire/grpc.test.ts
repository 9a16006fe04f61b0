import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccessLogService, AggregatedDiscoveryService } from '../../../controller/wire/grpc.ts';

test('delta ADS messages pass through the gRPC codec unchanged', () => {
  const { requestSerialize, requestDeserialize, responseSerialize, responseDeserialize } =
    AggregatedDiscoveryService.DeltaAggregatedResources;
  const request = { type_url: 'x', resource_names_subscribe: ['a', 'b'], response_nonce: '1' };
  const response = { type_url: 'x', nonce: '2', removed_resources: ['c'] };
  assert.partialDeepStrictEqual({ ...requestDeserialize(requestSerialize(request)) }, request);
  assert.partialDeepStrictEqual({ ...responseDeserialize(responseSerialize(response)) }, response);
});

test('access log messages pass as the bytes they are', () => {
  const bytes = Buffer.from([1, 2, 3]);
  assert.equal(AccessLogService.StreamAccessLogs.requestSerialize(bytes), bytes);
  assert.equal(AccessLogService.StreamAccessLogs.requestDeserialize(bytes), bytes);
});
