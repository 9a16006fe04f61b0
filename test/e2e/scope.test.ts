/** What a sidecar holds: the egress and what its workload uses, whatever else the mesh has. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { clusterOf } from '../support/bed/api-client.ts';
import { type KubernetesObject, serviceObjects } from '../support/bed/kubernetes-objects.ts';
import { SmallMesh } from '../support/bed/small-mesh.ts';
import { BANNER_PORT, CART_AND_DATABASE, HTTP_PORT, learnCartAndDatabase } from '../support/cart-and-database.ts';
import { eventually } from '../support/eventually.ts';

const CART = clusterOf('cart', HTTP_PORT);
const DATABASE = clusterOf('database', BANNER_PORT);
const MIXED = clusterOf('mixed', HTTP_PORT);

let mesh: SmallMesh;

before(async () => {
  mesh = await SmallMesh.start({
    services: {
      ...CART_AND_DATABASE,
      other: { ports: { http: HTTP_PORT } },
      mixed: { ports: { tcp: HTTP_PORT }, targetPorts: { tcp: BANNER_PORT } },
    },
  });
  await learnCartAndDatabase(mesh);
});
after(() => mesh.destroy());

/** Counts the responses that the sidecar has received, by type and, for endpoints, by cluster. */
async function updates(): Promise<ReadonlyMap<string, number>> {
  const counted = await mesh.client.envoy.admin.stats(/\.update_(success|failure|rejected)$/);
  for (const type of ['cluster_manager.cds', 'listener_manager.lds', `http.outbound_${HTTP_PORT}.rds.${HTTP_PORT}`]) {
    assert.ok(counted.has(`${type}.update_success`), `${type} is counted`);
  }
  return counted;
}

/** 500 HTTP services on the HTTP port and 500 TCP services on a port that is HTTP nowhere. */
function strangers(): readonly KubernetesObject[] {
  return Array.from({ length: 1_000 }, (_, index) => {
    const ports = index % 2 === 0 ? { http: HTTP_PORT } : { tcp: BANNER_PORT };
    const clusterIP = mesh.bed.clusterIP();
    const endpoints = [mesh.bed.network.address((64 << 8) + index)];
    return serviceObjects({ name: `stranger-${index}`, namespace: 'far', clusterIP, ports, endpoints });
  }).flat();
}

test('A sidecar holds its learned clusters, TCP services on mixed ports, and nothing else', async () => {
  assert.deepEqual(await mesh.client.envoy.admin.clusters(), [CART, MIXED, DATABASE].sort());
});

test('Endpoint changes of a learned service reach the sidecar, those of others do not', async () => {
  const { admin } = mesh.client.envoy;
  const { address } = mesh.server;
  const second = mesh.bed.network.address(64 << 8);
  const before = await updates();

  mesh.setEndpoints({ other: [address, second], cart: [address, second] });
  await eventually('the sidecar has the new endpoint', async () => {
    return (await admin.endpoints(CART)).includes(`${second}:${HTTP_PORT}`);
  });

  const changed = [...(await updates())].filter(([name, value]) => before.get(name) !== value);
  assert.deepEqual(
    changed.map(([name]) => name),
    [`cluster.${CART}.update_success`],
  );
  mesh.setEndpoints({ cart: [address] });
  await eventually('the sidecar has the old endpoints', async () => (await admin.endpoints(CART)).length === 1);
});

test('1,000 unrelated services send no response to the sidecar', async () => {
  const { admin } = mesh.client.envoy;
  const before = await updates();
  const { services } = await mesh.controller.api.status();

  mesh.folder.write('strangers.yaml', strangers());
  await eventually('the controller knows them', async () => {
    return (await mesh.controller.api.status()).services === services + 1_000;
  });
  // Responses keep their order, so what was sent for the strangers has come before this.
  const second = mesh.bed.network.address(65 << 8);
  mesh.setEndpoints({ cart: [mesh.server.address, second] });
  await eventually('a change of its own reaches the sidecar', async () => {
    return (await admin.endpoints(CART)).includes(`${second}:${HTTP_PORT}`);
  });

  const changed = [...(await updates())].filter(([name, value]) => before.get(name) !== value);
  assert.deepEqual(changed, [
    [`cluster.${CART}.update_success`, (before.get(`cluster.${CART}.update_success`) ?? 0) + 1],
  ]);
});
