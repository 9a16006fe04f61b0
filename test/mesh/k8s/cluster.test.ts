/** Requests to a real API server, and who they are by. */
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import { type Cluster, connectCluster } from '../../../controller/k8s/cluster.ts';
import { ApiBed, type KubeconfigOptions } from './api-bed.ts';
import { type Tamper, TamperingProxy } from './tampering-proxy.ts';
import { STOPPED_HALFWAY } from './tamperings.ts';

const REQUEST = {
  method: 'GET',
  path: '/api/v1/namespaces/shop/pods',
  intent: { verb: 'list', resource: 'pods', namespace: 'shop' },
} as const;

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
  await api.namespace('shop');
});
after(() => api.destroy());

interface Connected {
  readonly cluster: Cluster;
  readonly proxy: TamperingProxy;
  /** Rewrites the kubeconfig file that the cluster was read from. */
  readonly reconfigure: (token: string) => void;
}

interface ConnectOptions extends KubeconfigOptions {
  readonly tamper?: Tamper;
}

async function connect(t: TestContext, { tamper, ...options }: ConnectOptions = {}): Promise<Connected> {
  const proxy = await TamperingProxy.start(api, t, tamper);
  const kubeconfig = api.kubeconfig({ ...options, server: proxy.url });
  const reconfigure = (token: string): void => copyFileSync(api.kubeconfig({ token, server: proxy.url }), kubeconfig);
  return { cluster: await connectCluster({ kubeconfig }), proxy, reconfigure };
}

const credentialsSeen = ({ requests }: TamperingProxy) => requests.map(({ authorization }) => authorization);

test('a server that does not answer is given up', async (t) => {
  const { cluster } = await connect(t, { tamper: () => ({ type: 'Silence' }) });
  await assert.rejects(cluster.request({ ...REQUEST, timeout: 100 }), {
    code: 'Unavailable',
    message: 'list pods in namespace shop: no answer within 0.1 s',
  });
});

test('an answer that stops halfway is given up', async (t) => {
  const { cluster } = await connect(t, { tamper: () => STOPPED_HALFWAY });
  // Its head comes from the real server, which may be busy.
  await assert.rejects(cluster.request({ ...REQUEST, timeout: 1_000 }), {
    code: 'Unavailable',
    message: 'list pods in namespace shop: nothing more within 1 s',
  });
});

test('an answer that is no JSON is one without a body', async (t) => {
  const { cluster } = await connect(t, { tamper: () => ({ type: 'Refusal', status: 502, body: '<html>' }) });
  assert.deepEqual(await cluster.request(REQUEST), { status: 502, body: undefined });
});

test('refused credentials are read afresh once, and then are refused', async (t) => {
  const { cluster, proxy, reconfigure } = await connect(t, { token: 'old' });
  assert.equal((await cluster.request(REQUEST)).status, 401);
  assert.deepEqual(credentialsSeen(proxy), ['Bearer old', 'Bearer old']);
  const { token } = api.client.access;
  reconfigure(token);
  assert.equal((await cluster.request(REQUEST)).status, 200);
  assert.deepEqual(credentialsSeen(proxy).slice(2), ['Bearer old', `Bearer ${token}`]);
});

test('many requests that are refused at a time read the credentials once', async (t) => {
  const { promise: renewed, resolve } = Promise.withResolvers<void>();
  const { cluster, proxy, reconfigure } = await connect(t, {
    token: 'old',
    tamper: async ({ authorization, nth }) => {
      if (authorization !== 'Bearer old') {
        // Whoever is refused from now on, and reads them again, is refused again.
        reconfigure('another');
        resolve();
      } else if (nth > 1) await renewed;
      return undefined;
    },
  });
  reconfigure(api.client.access.token);
  const answers = await Promise.all(Array.from({ length: 10 }, () => cluster.request(REQUEST)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(credentialsSeen(proxy).filter((authorization) => authorization === 'Bearer old').length, 10);
});

test('a user with a password is one', async (t) => {
  const { cluster, proxy } = await connect(t, { user: { username: 'ann', password: 'b:c' } });
  await cluster.request(REQUEST);
  assert.deepEqual(credentialsSeen(proxy), [`Basic ${Buffer.from('ann:b:c').toString('base64')}`]);
});
