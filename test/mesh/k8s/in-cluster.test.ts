/** The credentials that Kubernetes puts into a pod, on a real API server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { ApiBed } from './api-bed.ts';
import { EVERYTHING, grant } from './service-account.ts';

const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount';
const CLUSTER = new URL('../../../controller/k8s/cluster.ts', import.meta.url);
const INTENT = { verb: 'list', resource: 'namespaces', namespace: '' };

/** Prints the status of a request as the pod's ServiceAccount. */
const PROGRAM = `
import { connectCluster } from '${CLUSTER}';
const cluster = await connectCluster({});
const { status } = await cluster.request({ method: 'GET', path: '/api/v1/namespaces', intent: ${JSON.stringify(INTENT)} });
console.log(status);
cluster.close();
`;

let api: ApiBed;

before(async () => {
  api = await ApiBed.start();
});
after(() => api.destroy());

test("a pod's own ServiceAccount is taken where no kubeconfig is given", async () => {
  const folder = api.bed.folder('service-account');
  writeFileSync(join(folder, 'token'), await grant(api, 'in-cluster', EVERYTHING));
  writeFileSync(join(folder, 'ca.crt'), api.client.access.certificateAuthority);
  const { hostname, port } = new URL(api.client.access.server);
  // A mount namespace of its own, as a container has: nothing of it is seen outside.
  const script = `mount -t tmpfs none /run && mkdir -p ${MOUNTED} && mount --bind "$1" ${MOUNTED} && exec "$2" --input-type=module -e "$3"`;
  const args = ['--mount', 'sh', '-ec', script, 'sh', folder, process.execPath, PROGRAM];
  const { stdout } = await promisify(execFile)('unshare', args, {
    env: { ...process.env, KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
  });
  assert.equal(stdout, '200\n');
});
