/** Files that the kubelet replaces while a pod runs; that an API server takes them is tried in test/mesh/k8s. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ServiceAccountConfig } from '../../../controller/k8s/service-account.ts';

function mounted(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'lazyscope-service-account-'));
  const { KUBERNETES_SERVICE_HOST: host } = process.env;
  process.env['KUBERNETES_SERVICE_HOST'] = '10.96.0.1';
  t.after(() => {
    rmSync(folder, { recursive: true });
    if (host === undefined) delete process.env['KUBERNETES_SERVICE_HOST'];
    else process.env['KUBERNETES_SERVICE_HOST'] = host;
  });
  const write = (ca: string, token: string): void => {
    writeFileSync(join(folder, 'ca.crt'), ca);
    writeFileSync(join(folder, 'token'), token);
  };
  return { folder, write };
}

async function optionsOf(config: ServiceAccountConfig): Promise<RequestOptions> {
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  return options;
}

test('a certificate authority and a token that were replaced are used a minute later', async (t) => {
  const { folder, write } = mounted(t);
  let now = 0;
  write('first authority', 'first\n');
  const config = new ServiceAccountConfig({ folder, now: () => now });
  const first = { ca: 'first authority', headers: { Authorization: 'Bearer first' } };
  assert.deepEqual(await optionsOf(config), first);
  write('second authority', 'second\n');
  now = 60_000;
  assert.deepEqual(await optionsOf(config), first);
  now = 60_001;
  assert.deepEqual(await optionsOf(config), { ca: 'second authority', headers: { Authorization: 'Bearer second' } });
});

test('a pod without its files is told so at once', (t) => {
  const { folder } = mounted(t);
  assert.throws(() => new ServiceAccountConfig({ folder: join(folder, 'nowhere') }), /nowhere\/ca\.crt/);
});
