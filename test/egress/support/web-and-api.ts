/** Two HTTP services on one port number, behind a relay in direct mode. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { SocketAddress } from '../../../controller/core/model.ts';
import { Reading } from './reading.ts';
import { startRelay, startServer, type TestRelay } from './relay.ts';
import { until } from './until.ts';

/** Address of `web`. */
export const TO_WEB = { address: '10.96.0.1', port: 8080 };

export interface Scripted extends SocketAddress {
  readonly connections: { readonly socket: Socket; readonly reading: Reading }[];
}

/** A server that does only what the test tells it. */
export async function scripted(t: TestContext): Promise<Scripted> {
  const connections: Scripted['connections'] = [];
  const server = await startServer(t, (socket) => connections.push({ socket, reading: new Reading(socket) }));
  return { ...server, connections };
}

/** The connection with this number, once it is there. */
export async function connection(server: Scripted, number: number): Promise<Scripted['connections'][number]> {
  await until(() => server.connections.length > number);
  const found = server.connections[number];
  assert.ok(found);
  return found;
}

/** `web.test` and `api.test` are these servers. */
export async function relayTo(t: TestContext, web: SocketAddress, api: SocketAddress = web): Promise<TestRelay> {
  return startRelay(t, {
    services: [
      { name: 'web', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.1', endpoints: [web] },
      { name: 'api', port: 8080, protocol: 'HTTP', clusterIP: '10.96.0.2', endpoints: [api] },
    ],
  });
}
