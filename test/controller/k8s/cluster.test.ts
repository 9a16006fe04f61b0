import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectCluster } from '../../../controller/k8s/cluster.ts';
import { ScriptedApi } from './scripted-api.ts';

const REQUEST = { method: 'GET', path: '/x', intent: { verb: 'get', resource: 'pods', namespace: 'shop' } } as const;

function fileWith(t: TestContext, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-config-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'config');
  writeFileSync(file, text);
  return file;
}

test('outside a cluster and without a kubeconfig it says what to do', async () => {
  await assert.rejects(connectCluster({}), {
    code: 'InvalidConfiguration',
    message: /KUBERNETES_SERVICE_HOST is not set.*give a kubeconfig file/,
  });
});

test('a kubeconfig that is not there is named', async () => {
  const message = /^\/nowhere\/config: ENOENT/;
  await assert.rejects(connectCluster({ kubeconfig: '/nowhere/config' }), { code: 'InvalidConfiguration', message });
});

for (const [what, text] of [
  ['is empty', ''],
  ['is no YAML', '{'],
  ['has no current context', 'clusters: []\nusers: []\ncontexts: []\n'],
] as const) {
  test(`a kubeconfig that ${what} is named`, async (t) => {
    const kubeconfig = fileWith(t, text);
    await assert.rejects(connectCluster({ kubeconfig }), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'InvalidConfiguration');
      assert.ok(error.message.startsWith(kubeconfig), error.message);
      return true;
    });
  });
}

test('a server that does not answer is given up', async (t) => {
  const api = await ScriptedApi.start(t, () => true);
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig() });
  await assert.rejects(cluster.request({ ...REQUEST, timeout: 100 }), {
    code: 'Unavailable',
    message: 'get pods in namespace shop: no answer within 0.1 s',
  });
});

test('an answer that stops halfway is given up', async (t) => {
  const api = await ScriptedApi.start(t, (_, response) => response.write('{"a":') || true);
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig() });
  await assert.rejects(cluster.request({ ...REQUEST, timeout: 100 }), {
    code: 'Unavailable',
    message: 'get pods in namespace shop: nothing more within 0.1 s',
  });
});

test('an answer that is no JSON is one without a body', async (t) => {
  const api = await ScriptedApi.start(t, (_, response) => {
    response.writeHead(502).end('<html>');
    return true;
  });
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig() });
  assert.deepEqual(await cluster.request(REQUEST), { status: 502, body: undefined });
});

test('refused credentials are read afresh once, and then are refused', async (t) => {
  const tokens: (string | undefined)[] = [];
  const api = await ScriptedApi.start(t, (_, response, { authorization }) => {
    tokens.push(authorization);
    response.writeHead(authorization === 'Bearer new' ? 200 : 401).end('{}');
    return true;
  });
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig({ token: 'old' }) });
  assert.equal((await cluster.request(REQUEST)).status, 401);
  assert.deepEqual(tokens, ['Bearer old', 'Bearer old']);
  api.kubeconfig({ token: 'new' });
  assert.equal((await cluster.request(REQUEST)).status, 200);
  assert.deepEqual(tokens.slice(2), ['Bearer old', 'Bearer new']);
});

test('many requests that are refused at a time read the credentials once', async (t) => {
  let refused = 0;
  const api = await ScriptedApi.start(t, (_, response, { authorization }) => {
    if (authorization === 'Bearer old') refused += 1;
    response.writeHead(authorization === 'Bearer old' ? 401 : 200).end('{}');
    return true;
  });
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig({ token: 'old' }) });
  api.kubeconfig({ token: 'new' });
  const answers = await Promise.all(Array.from({ length: 10 }, () => cluster.request(REQUEST)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(refused, 10);
});

test('a user with a password is one', async (t) => {
  const seen: (string | undefined)[] = [];
  const api = await ScriptedApi.start(t, (_, response, { authorization }) => {
    seen.push(authorization);
    response.end('{}');
    return true;
  });
  const cluster = await connectCluster({ kubeconfig: api.kubeconfig({ username: 'ann', password: 'b:c' }) });
  await cluster.request(REQUEST);
  assert.deepEqual(seen, [`Basic ${Buffer.from('ann:b:c').toString('base64')}`]);
});
