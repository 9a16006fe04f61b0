/** Configuration that no API server is needed for; requests are tried on a real one, in test/mesh/k8s. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connectCluster } from '../../../controller/k8s/cluster.ts';

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
