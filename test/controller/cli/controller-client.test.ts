import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { shop } from '../http/shop.ts';
import { startServer } from '../http/start-server.ts';
import { runCli } from './run-cli.ts';

/** A server that is not ours. */
async function startStranger(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

async function assertUnavailable(server: string, message: RegExp): Promise<void> {
  const { exitCode, stdout, stderr } = await runCli(['edges', '--server', server]);
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(stderr, message);
  assert.equal(stderr.trimEnd().split('\n').length, 1, 'one sentence');
}

test('an unreachable controller is named with its URL and the fix', async (t) => {
  const server = await startStranger(t, () => {});
  const closed = new URL(server);
  closed.port = '1';
  await assertUnavailable(closed.origin, /^error: No controller answers at http:\/\/127\.0\.0\.1:1 .*--server/);
});

test('a server that is no controller is called that', async (t) => {
  const server = await startStranger(t, (_request, response) => response.writeHead(404).end('<html>'));
  await assertUnavailable(server, /is no Lazyscope controller \(it answered 404/);
});

test('an answer of another version is not guessed at', async (t) => {
  const server = await startStranger(t, (_request, response) => {
    response.end(JSON.stringify({ apiVersion: 'lazyscope.io/v9', kind: 'EdgeList', items: [] }));
  });
  await assertUnavailable(server, /Use the same version of client and controller/);
});

test("a failure of the controller is told in the controller's words", async (t) => {
  const server = await startServer(t, { readModel: { ...shop, edges: () => assert.fail('broken') } });
  await assertUnavailable(server, /^error: The controller failed to answer/);
});

test('a slash behind the URL does no harm', async (t) => {
  const server = await startServer(t);
  assert.equal((await runCli(['edges', '--server', `${server}/`])).exitCode, 0);
});
