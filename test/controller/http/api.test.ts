import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LazyscopeError } from '../../../controller/core/error.ts';
import { apiError } from '../../../controller/http/schemas.ts';
import { edges, emptyMesh, shop } from './shop.ts';
import { startServer } from './start-server.ts';

async function getJson(url: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
}

const version = { apiVersion: 'lazyscope.io/v1' };
const checkout = 'shop/Deployment/checkout';
const cartHost = 'shop/cart.shop.svc.cluster.local';

test('every route answers with the read model under apiVersion and kind', async (t) => {
  const server = await startServer(t);
  const answers: readonly (readonly [path: string, body: object])[] = [
    ['status', { kind: 'MeshStatus', ...shop.mesh(), ready: [{ name: 'registry', ok: true, detail: 'synced' }] }],
    ['workloads', { kind: 'WorkloadList', items: shop.workloads({}) }],
    ['workloads?namespace=lab', { kind: 'WorkloadList', items: shop.workloads({ namespace: 'lab' }) }],
    [`workloads/${checkout}`, { kind: 'Workload', ...shop.workload(checkout) }],
    ['edges', { kind: 'EdgeList', items: edges }],
    ['edges?namespace=lab', { kind: 'EdgeList', items: shop.edges({ namespace: 'lab' }) }],
    [
      `edges?from=${checkout}&to=${cartHost}`,
      { kind: 'EdgeList', items: shop.edges({ from: checkout, to: cartHost }) },
    ],
    [`graph?from=${checkout}`, { kind: 'Graph', ...shop.graph({ from: checkout }) }],
  ];
  for (const [path, body] of answers) {
    assert.deepEqual(await getJson(`${server}/api/v1/${path}`), { status: 200, body: { ...version, ...body } }, path);
  }
});

test('an empty mesh gives empty lists', async (t) => {
  const server = await startServer(t, { readModel: emptyMesh });
  const { body } = await getJson(`${server}/api/v1/edges`);
  assert.deepEqual(body, { ...version, kind: 'EdgeList', items: [] });
});

test('a workload with a name of 253 characters is found', async (t) => {
  const key = `shop/Deployment/${'a'.repeat(253)}`;
  const detail = shop.workload(checkout);
  const server = await startServer(t, {
    readModel: { ...shop, workload: (asked) => (asked === key ? detail : undefined) },
  });
  assert.equal((await getJson(`${server}/api/v1/workloads/${key}`)).status, 200);
});

test('a bootstrap is asked for with parsed addresses', async (t) => {
  const server = await startServer(t);
  const query = 'pod=p&controller=ctl.example:15010&egress=10.9.0.1:15080,[fd00::1]:15080&admin=15000';
  const { body } = await getJson(`${server}/api/v1/workloads/${checkout}/bootstrap?${query}`);
  assert.deepEqual(body, {
    node: { id: checkout },
    request: {
      pod: 'p',
      controller: { address: 'ctl.example', port: 15010 },
      egress: [
        { address: '10.9.0.1', port: 15080 },
        { address: 'fd00::1', port: 15080 },
      ],
      admin: 15000,
    },
  });
});

test('a question that cannot be answered says why', async (t) => {
  const server = await startServer(t);
  const questions: readonly (readonly [path: string, status: number, code: string, message: RegExp])[] = [
    ['/api/v1/workloads/shop/Deployment/nobody', 404, 'NotFound', /^No workload shop\/Deployment\/nobody/],
    ['/api/v1/workloads/shop/Deployment/nobody/bootstrap', 404, 'NotFound', /^No workload/],
    ['/api/v1/nothing', 404, 'NotFound', /openapi\.json/],
    ['/api/v1/edges?namespace=NO', 400, 'BadRequest', /^Query parameter "namespace" must be a Kubernetes namespace/],
    ['/api/v1/edges?namespace=a&namespace=b', 400, 'BadRequest', /"namespace"/],
    ['/api/v1/edges?from=cart', 400, 'BadRequest', /"from" must be namespace\/Kind\/name/],
    ['/api/v1/edges?to=cart', 400, 'BadRequest', /"to" must be namespace\/host/],
    ['/api/v1/edges?form=cart', 400, 'BadRequest', /"form" is not known/],
    [`/api/v1/workloads/${checkout}/bootstrap?egress=10.0.0.1`, 400, 'BadRequest', /"egress" must be ADDRESS:PORT/],
    [`/api/v1/workloads/${checkout}/bootstrap?egress=a:70000`, 400, 'BadRequest', /"egress" must be ADDRESS:PORT/],
    [`/api/v1/workloads/${checkout}/bootstrap?controller=a:1,b:2`, 400, 'BadRequest', /one ADDRESS:PORT/],
    [
      `/api/v1/workloads/${checkout}/bootstrap?controller=a`,
      400,
      'BadRequest',
      /must be one ADDRESS:PORT or \[IPV6\]:PORT\./,
    ],
    [`/api/v1/workloads/${checkout}/bootstrap?admin=x`, 400, 'BadRequest', /"admin" must be a port number/],
  ];
  for (const [path, status, code, message] of questions) {
    const response = await fetch(`${server}${path}`);
    const { error } = apiError.parse(await response.json());
    assert.deepEqual([response.status, error.code], [status, code], path);
    assert.match(error.message, message, path);
  }
});

test("a wrong configuration of a bootstrap is the asker's to mend", async (t) => {
  const bootstrap = (): object => {
    throw new LazyscopeError('InvalidConfiguration', 'Two pods; name one with ?pod=.');
  };
  const server = await startServer(t, { bootstrap });
  assert.deepEqual(await getJson(`${server}/api/v1/workloads/${checkout}/bootstrap`), {
    status: 400,
    body: { error: { code: 'InvalidConfiguration', message: 'Two pods; name one with ?pod=.' } },
  });
});

test('a failure of ours tells the client no details', async (t) => {
  const mesh = (): never => {
    throw new Error('secret');
  };
  const server = await startServer(t, { readModel: { ...shop, mesh } });
  const { status, body } = await getJson(`${server}/api/v1/status`);
  assert.equal(status, 500);
  assert.doesNotMatch(JSON.stringify(body), /secret/);
});
