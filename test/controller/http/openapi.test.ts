import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as z from 'zod';
import { startServer } from './start-server.ts';

/** The parts of an OpenAPI document that this test reads. */
const documentShape = z.object({
  openapi: z.string(),
  components: z.object({ schemas: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  paths: z.record(
    z.string(),
    z.partialRecord(
      z.enum(['get', 'post']),
      z.object({
        requestBody: z
          .object({
            content: z.object({ 'application/json': z.object({ schema: z.record(z.string(), z.unknown()) }) }),
          })
          .optional(),
        responses: z.record(
          z.string(),
          z.object({ content: z.object({ 'application/json': z.object({ schema: z.object({ $ref: z.string() }) }) }) }),
        ),
      }),
    ),
  ),
});

type OpenApi = z.infer<typeof documentShape>;

/** A validator made from the document alone, as a client's generator would make it. */
function validator({ components, paths }: OpenApi, path: string, status: number): z.ZodType {
  const { get, post } = paths[path] ?? {};
  const reference = (get ?? post)?.responses[status]?.content['application/json'].schema.$ref;
  assert.ok(reference, `${path} documents ${status}`);
  const schemas = JSON.parse(JSON.stringify(components.schemas).replaceAll('#/components/schemas/', '#/$defs/'));
  return z.fromJSONSchema({ $ref: reference.replace('#/components/schemas/', '#/$defs/'), $defs: schemas });
}

const workloadPath = '/api/v1/workloads/{namespace}/{kind}/{name}';

/** With a body it is a POST. */
const requests: readonly (readonly [path: string, url: string, status: number, body?: object])[] = [
  ['/api/v1/status', '/api/v1/status', 200],
  ['/api/v1/workloads', '/api/v1/workloads', 200],
  ['/api/v1/edges', '/api/v1/edges', 200],
  ['/api/v1/graph', '/api/v1/graph', 200],
  [workloadPath, '/api/v1/workloads/shop/Deployment/checkout', 200],
  [workloadPath, '/api/v1/workloads/lab/Deployment/cart', 200],
  [`${workloadPath}/bootstrap`, '/api/v1/workloads/shop/Deployment/checkout/bootstrap', 200],
  [
    `${workloadPath}/forget`,
    '/api/v1/workloads/shop/Deployment/checkout/forget',
    200,
    { service: 'shop/cart.shop.svc.cluster.local' },
  ],
  [`${workloadPath}/forget`, '/api/v1/workloads/shop/Deployment/checkout/forget', 400, { service: 'cart' }],
  ['/api/v1/edges', '/api/v1/edges?from=x', 400],
  [workloadPath, '/api/v1/workloads/shop/Deployment/nobody', 404],
  [`${workloadPath}/bootstrap`, '/api/v1/workloads/shop/Deployment/checkout/bootstrap?admin=x', 400],
];

test('the document is OpenAPI 3.1 and lists every route of the API', async (t) => {
  const server = await startServer(t);
  const document = documentShape.parse(await (await fetch(`${server}/api/v1/openapi.json`)).json());
  assert.equal(document.openapi, '3.1.0');
  assert.deepEqual(Object.keys(document.paths).sort(), [...new Set(requests.map(([path]) => path))].sort());
});

test('every answer is what the document says, no field more or less', async (t) => {
  const server = await startServer(t);
  const document = documentShape.parse(await (await fetch(`${server}/api/v1/openapi.json`)).json());
  for (const [path, url, status, body] of requests) {
    const headers = { 'content-type': 'application/json' };
    const sent = body ? { method: 'POST', headers, body: JSON.stringify(body) } : {};
    const response = await fetch(`${server}${url}`, sent);
    assert.equal(response.status, status, url);
    validator(document, path, status).parse(await response.json());
  }
});

test('an answer with an unknown field would not pass', async (t) => {
  const server = await startServer(t);
  const document = documentShape.parse(await (await fetch(`${server}/api/v1/openapi.json`)).json());
  const answer = { error: { code: 'NotFound', message: 'x', stack: 'y' } };
  assert.equal(validator(document, workloadPath, 404).safeParse(answer).success, false);
});

test('a body is what the document says', async (t) => {
  const server = await startServer(t);
  const document = documentShape.parse(await (await fetch(`${server}/api/v1/openapi.json`)).json());
  const schema = document.paths[`${workloadPath}/forget`]?.post?.requestBody?.content['application/json'].schema;
  const body = z.fromJSONSchema(schema ?? {});
  for (const [, , status, sent] of requests) {
    if (sent) assert.equal(body.safeParse(sent).success, status === 200, JSON.stringify(sent));
  }
  assert.equal(body.safeParse({}).success, false);
});
