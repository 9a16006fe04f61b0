/** The probe on istiod's port with TLS, as the identity of an istio-agent. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { IstiodProbe } from '../../controller/istiod/istiod-probe.ts';
import type { KubernetesObject } from '../support/bed/kubernetes-objects.ts';
import { MeshBed } from './bed/mesh-bed.ts';
import { SECURE_XDS_PORT } from './bed/ports.ts';

let mesh: MeshBed;
let identity: ChannelCredentials;

before(async () => {
  mesh = await MeshBed.start({ mutualTls: 'Strict' });
  const pod = await mesh.pod('lazyscope-controller-0', { namespace: 'lazyscope' });
  const { certificates } = await mesh.startAgent(pod);
  const read = (name: string): Buffer => readFileSync(join(certificates, name));
  identity = credentials.createSsl(read('root-cert.pem'), read('key.pem'), read('cert-chain.pem'));
});
after(() => mesh.destroy());

/** What becomes of a confirmation for a probe that says it is of this namespace. */
async function outcome(namespace: string): Promise<string> {
  await mesh.namespace(namespace);
  const probe = new IstiodProbe({
    istiods: async () => [{ address: mesh.bed.network.hostAddress, port: SECURE_XDS_PORT }],
    credentials: identity,
    serverName: 'istiod.istio-system.svc',
    namespace,
    clusterDomain: 'cluster.local',
    settleMs: 0,
    writer: {
      write: async (change) => {
        if (change.type === 'Apply') await mesh.client.apply(change.manifest as unknown as KubernetesObject);
      },
    },
    logger: { debug: () => {}, info: () => {}, warn: () => {} },
  });
  await probe.start();
  try {
    return await probe.confirm().then(
      () => 'confirmed',
      (error: Error) => error.message,
    );
  } finally {
    await probe.stop();
  }
}

test('istiod takes the probe by the certificate of its own namespace', async () => {
  assert.equal(await outcome('lazyscope'), 'confirmed');
});

test('istiod refuses it where the certificate is of another namespace, and the message says so', async () => {
  assert.match(await outcome('shop'), /PERMISSION_DENIED.*authorization failed/);
});
