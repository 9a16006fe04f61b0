/** The egress's routing table in Istio mode. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLUSTER } from '../../../../controller/core/model.ts';
import { IDENTITY_METADATA, type PodIdentity } from '../../../../controller/core/pod-identity.ts';
import type { MeshView } from '../../../../controller/core/snapshot/mesh-view.ts';
import { decode } from '../../../../controller/wire/messages.ts';
import { structToPlain } from '../../../../controller/wire/well-known.ts';
import { database, search, web } from '../resources/services.ts';
import { countingBuilder, meshView, namesOf } from './mesh-view.ts';

const CART: PodIdentity = { namespace: 'shop', serviceAccount: 'cart', addresses: ['10.0.0.2', '10.0.0.1'] };
const WEB: PodIdentity = { namespace: 'shop', serviceAccount: 'web', addresses: ['fd00::1'] };

/** One mesh with services that stay as they are and identities that change. */
function meshWith(identities: () => Iterable<PodIdentity>): MeshView {
  return { ...meshView([web, database, search]), identities };
}

test('it has every service port, whoever finds its endpoints, and every identity, and nothing else', () => {
  const { builder } = countingBuilder('istio');
  const clusters = [
    'identity|shop|cart',
    'identity|shop|web',
    'outbound|5432||database.shop.svc.cluster.local',
    'outbound|8080||search.shop.svc.cluster.local',
    'outbound|8080||web.shop.svc.cluster.local',
  ];
  assert.deepEqual(namesOf(builder.relayTable(meshWith(() => [CART, WEB]))), {
    Cluster: clusters,
    ClusterLoadAssignment: [],
    Listener: [],
    RouteConfiguration: [],
  });
});

test('an identity says who has which addresses, in an order that does not depend on that of the pods', () => {
  const read = (addresses: readonly string[]): unknown => {
    const table = countingBuilder('istio').builder.relayTable(meshWith(() => [{ ...CART, addresses }]));
    const bytes = table[CLUSTER].get('identity|shop|cart')?.bytes ?? new Uint8Array();
    const { metadata } = decode(CLUSTER, bytes) as { metadata: { filter_metadata: Record<string, unknown> } };
    return structToPlain(metadata.filter_metadata[IDENTITY_METADATA]);
  };
  const expected = { namespace: 'shop', serviceAccount: 'cart', addresses: ['10.0.0.1', '10.0.0.2'] };
  assert.deepEqual(read(['10.0.0.2', '10.0.0.1']), expected);
  assert.deepEqual(read(['10.0.0.1', '10.0.0.2']), expected);
});

test('a pod that comes costs one identity, and leaves every other resource as it is', () => {
  const { builder, count } = countingBuilder('istio');
  let identities: readonly PodIdentity[] = [CART, WEB];
  const mesh = meshWith(() => identities);
  const before = builder.relayTable(mesh);
  count.encoded = 0;
  assert.equal(builder.relayTable(mesh), before, 'nothing changed');
  identities = [{ ...CART }, { ...WEB, addresses: ['fd00::1', 'fd00::2'] }];
  const after = builder.relayTable(mesh);
  assert.equal(count.encoded, 1);
  const changed = [...after[CLUSTER]].filter(([name, resource]) => before[CLUSTER].get(name) !== resource);
  assert.deepEqual(
    changed.map(([name]) => name),
    ['identity|shop|web'],
  );
});

test('an identity goes with its last address', () => {
  const { builder } = countingBuilder('istio');
  let identities: readonly PodIdentity[] = [CART, WEB];
  const mesh = meshWith(() => identities);
  builder.relayTable(mesh);
  identities = [CART, { ...WEB, addresses: [] }];
  assert.equal(builder.relayTable(mesh)[CLUSTER].has('identity|shop|web'), false);
});
