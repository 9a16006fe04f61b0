import assert from 'node:assert/strict';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { LazyscopeError } from '../../../controller/core/error.ts';
import { failureOf } from '../../../controller/http/failure.ts';
import { forgetRoute } from '../../../controller/http/forget.ts';
import { useZod } from '../../../controller/http/zod-provider.ts';
import { shopServer, startServer } from './start-server.ts';

const PATH = '/api/v1/workloads/shop/Deployment/front/forget';
const CART = 'shop/cart.shop.svc.cluster.local';

function post(url: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

test('a service is forgotten, and how many dependencies leave is told', async (t) => {
  const asked: string[][] = [];
  const server = await startServer(t, {
    forget: (...names) => {
      asked.push(names);
      return 2;
    },
  });
  const response = await post(`${server}${PATH}`, { service: CART });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {
    apiVersion: 'lazyscope.io/v1',
    kind: 'Forgotten',
    workload: 'shop/Deployment/front',
    service: CART,
    dependencies: 2,
  });
  assert.deepEqual(asked, [['shop/Deployment/front', CART]]);
});

const FAILURES = [
  ['what is not in the scope', 404, 'NotFound'],
  ['what would cut connections', 400, 'InvalidConfiguration'],
] as const;

for (const [what, status, code] of FAILURES) {
  test(`${what} is answered with ${status} and the reason`, async (t) => {
    const server = await startServer(t, {
      forget: () => {
        throw new LazyscopeError(code, 'because');
      },
    });
    const response = await post(`${server}${PATH}`, { service: CART });
    assert.equal(response.status, status);
    assert.deepEqual(await response.json(), { error: { code, message: 'because' } });
  });
}

for (const body of [{}, { service: 'cart' }, { service: CART, workload: 'x' }, 7, null]) {
  test(`${JSON.stringify(body)} is no request to forget`, async (t) => {
    const server = await startServer(t, { forget: () => assert.fail('asked') });
    assert.equal((await post(`${server}${PATH}`, body)).status, 400);
  });
}

test('it is no GET', async (t) => {
  assert.equal((await fetch(`${await startServer(t)}${PATH}`)).status, 404);
});

/** Status of the route alone for a caller at that address. */
async function statusFrom(remoteAddress: string, host: string): Promise<number> {
  const app = fastify();
  useZod(app);
  app.setErrorHandler((caught: LazyscopeError, _request, reply) => {
    const { status, body } = failureOf(caught);
    reply.code(status).send(body);
  });
  forgetRoute(app, { forget: () => 1 });
  const headers = { host };
  const answer = await app.inject({ method: 'POST', url: PATH, headers, remoteAddress, payload: { service: CART } });
  await app.close();
  return answer.statusCode;
}

const CALLERS: readonly (readonly [remoteAddress: string, host: string, status: number])[] = [
  ['127.0.0.1', '127.0.0.1:15014', 200],
  ['127.0.0.1', 'localhost:15014', 200],
  ['127.8.9.10', 'localhost', 200],
  ['::1', '[::1]:15014', 200],
  ['::ffff:127.0.0.1', 'localhost', 200],
  // Where a sidecar's inbound traffic comes from.
  ['127.0.0.6', '127.0.0.1:15014', 403],
  ['::ffff:127.0.0.6', 'localhost', 403],
  ['127.0.0.60', 'localhost', 200],
  ['10.0.0.7', '10.0.0.1:15014', 403],
  ['fd00::7', '[fd00::1]:15014', 403],
  ['::ffff:10.0.0.7', 'localhost', 403],
  ['127.0.0.1', 'evil.example.com:15014', 403],
  ['127.0.0.1', 'localhost.evil.example.com', 403],
];

for (const [remoteAddress, host, status] of CALLERS) {
  test(`from ${remoteAddress} with Host "${host}" it is answered with ${status}`, async () => {
    assert.equal(await statusFrom(remoteAddress, host), status);
  });
}

test('on an address of our own that is not loopback, callers of this very host are let in', async (t) => {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const own = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  // A machine without any other address has nothing to try.
  const address = own?.address ?? '127.0.0.1';
  const server = shopServer({ forget: () => 1 });
  t.after(() => server.close());
  const { port } = await server.listen({ address: '0.0.0.0', port: 0 });
  assert.equal((await post(`http://${address}:${port}${PATH}`, { service: CART })).status, 200);
  const status = await new Promise((resolve, reject) => {
    const headers = { host: 'evil.example.com', 'content-type': 'application/json' };
    const sent = request({ host: '127.0.0.1', port, path: PATH, method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end(JSON.stringify({ service: CART }));
  });
  assert.equal(status, 403);
});
