/** What two kinds of tests begin with: a client that has learned `cart` over HTTP and `database`, where the server speaks first. */
import assert from 'node:assert/strict';
import { type App, loadApp } from './apps/load-app.ts';
import type { SmallMesh } from './bed/small-mesh.ts';

export const HTTP_PORT = 8080;
export const BANNER_PORT = 9000;

/** The two services, for `SmallMesh.start`. */
export const CART_AND_DATABASE = {
  cart: { ports: { http: HTTP_PORT } },
  database: { ports: { tcp: BANNER_PORT } },
} as const;

/** Serves both, calls both and waits until they are learned. @returns the HTTP client in the pod */
export async function learnCartAndDatabase(mesh: SmallMesh): Promise<App<'http1-client'>> {
  const http = await loadApp(mesh.client, 'http1-client');
  const tcp = await loadApp(mesh.client, 'tcp-client');
  const httpServer = await loadApp(mesh.server, 'http1-server');
  const tcpServer = await loadApp(mesh.server, 'tcp-server');
  await httpServer.call('listenHttp1', HTTP_PORT);
  await tcpServer.call('listenServerFirst', BANNER_PORT);
  await peerOfCart(mesh, http);
  await tcp.call('firstByteMs', mesh.service('database'));
  await mesh.learned('cart');
  await mesh.learned('database');
  return http;
}

/** Asks `cart` on one keep-alive connection. @returns the address that it was called from */
export async function peerOfCart(mesh: SmallMesh, http: App<'http1-client'>): Promise<string> {
  const { address, port, host } = mesh.service('cart');
  const response = await http.call('send', { connection: 'cart', address, port, path: '/peer', headers: { host } });
  assert.equal(response.status, 200);
  return response.body;
}
