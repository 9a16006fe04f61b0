import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import type { SocketAddress } from '../../controller/core/model.ts';
import { Balancer } from '../../egress/balancer.ts';
import { Dialler } from '../../egress/dial.ts';

/** An address on which nobody listens. */
async function deadEndpoint(): Promise<SocketAddress> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { address, port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { address, port };
}

test('three endpoints are tried, and no more', async () => {
  const attempts: string[] = [];
  const onAttempt = (result: string): void => void attempts.push(result);
  const dialler = new Dialler({ balancer: new Balancer(), timeoutMs: 5_000, onAttempt });
  const candidates = await Promise.all(Array.from({ length: 5 }, deadEndpoint));
  const socket = await new Promise((resolve) => {
    dialler.dial(candidates, resolve);
  });
  assert.equal(socket, undefined);
  assert.deepEqual(attempts, ['Failed', 'Failed', 'Failed']);
});
