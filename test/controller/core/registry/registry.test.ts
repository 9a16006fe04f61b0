import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { Service } from '../../../../controller/core/model.ts';
import { Registry, type RegistryChanges } from '../../../../controller/core/registry/registry.ts';
import { serviceKey } from '../../../../controller/core/registry/service-index.ts';
import { pod, service, slice } from '../../../support/mesh-objects.ts';

const cart = service('cart', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' });

function registryWith(...objects: readonly MeshObject[]): Registry {
  const registry = new Registry({ defaultMode: 'Enforce' });
  registry.apply(objects.map((object) => ({ type: 'Applied', object, at: 0 })));
  return registry;
}

function apply(registry: Registry, object: MeshObject): RegistryChanges {
  return registry.apply([{ type: 'Applied', object, at: 0 }]);
}

describe('whom a change concerns', () => {
  const cases: { readonly name: string; readonly object: Service; readonly everybody: boolean }[] = [
    {
      name: 'a service on known HTTP ports only its users',
      object: service('x', { 80: 'HTTP' }, { clusterIP: '10.96.1.1' }),
      everybody: false,
    },
    {
      name: 'a TCP service on a port that is HTTP nowhere only its users',
      object: service('x', { 5432: 'TCP' }, { clusterIP: '10.96.1.1' }),
      everybody: false,
    },
    {
      name: 'the first service on an HTTP port everybody',
      object: service('x', { 8080: 'HTTP' }, { clusterIP: '10.96.1.1' }),
      everybody: true,
    },
    {
      name: 'a TCP service on an HTTP port everybody',
      object: service('x', { 80: 'TCP' }, { clusterIP: '10.96.1.1' }),
      everybody: true,
    },
  ];
  for (const { name, object, everybody } of cases) {
    it(`is, for ${name}`, () => {
      const changes = apply(registryWith(cart), object);
      assert.deepEqual([...changes.services], [serviceKey(object)]);
      assert.equal(changes.everybody, everybody);
    });
  }

  it('is everybody when a TCP service leaves an HTTP port', () => {
    const mixed = service('x', { 80: 'TCP' }, { clusterIP: '10.96.1.1' });
    const registry = registryWith(cart, mixed);
    const ref = { kind: 'Service', namespace: 'shop', name: 'x' } as const;
    assert.equal(registry.apply([{ type: 'Deleted', ref, at: 1 }]).everybody, true);
  });

  it('is the users of a service whose endpoints change', () => {
    assert.deepEqual([...apply(registryWith(cart), slice(cart, ['10.0.0.1'])).services], [serviceKey(cart)]);
  });

  it('is nobody for endpoints of a service that does not exist', () => {
    assert.equal(apply(registryWith(), slice(cart, ['10.0.0.1'])).services.size, 0);
  });

  it('is a pod that changes, and the pods of a ReplicaSet that is told late', () => {
    const registry = registryWith();
    assert.deepEqual(
      apply(registry, pod('a-0', '10.0.0.1')).pods.map(({ name }) => name),
      ['a-0'],
    );
    const replicaSet = {
      kind: 'ReplicaSet',
      namespace: 'shop',
      name: 'a-5d4f',
      owner: { kind: 'Deployment', name: 'a' },
    } as const;
    assert.deepEqual(
      apply(registry, replicaSet).pods.map(({ name }) => name),
      ['a-0'],
    );
  });
});

it('counts a revision for services and endpoints, not for pods', () => {
  const registry = registryWith(cart);
  const before = registry.revision;
  apply(registry, pod('a-0', '10.0.0.1'));
  assert.equal(registry.revision, before);
  apply(registry, slice(cart, ['10.0.0.1']));
  assert.equal(registry.revision, before + 1);
});

it('keeps a port that a sidecar still listens on', () => {
  const registry = registryWith(cart);
  assert.equal(registry.keepHttpPort(80), false);
  assert.equal(registry.keepHttpPort(8080), true);
  assert.deepEqual([...registry.httpPorts], [80, 8080]);
});

it('forgets what is deleted', () => {
  const registry = registryWith(cart, pod('a-0', '10.0.0.1'));
  registry.apply([
    { type: 'Deleted', ref: { kind: 'Service', namespace: 'shop', name: 'cart' }, at: 5 },
    { type: 'Deleted', ref: { kind: 'Pod', namespace: 'shop', name: 'a-0' }, at: 5 },
  ]);
  assert.equal(registry.services.size, 0);
  assert.equal(registry.serviceByClusterIP('10.96.0.1'), undefined);
  assert.equal(registry.workloads.ownerAt('10.0.0.1', 6), undefined);
});

it('tells everybody of the pods of a headless TCP service on an HTTP port, also when they were told first', () => {
  const early = service('db', { 5432: 'TCP' });
  const pods = { ...slice(early, ['10.0.0.8']), ports: [{ name: 'p5432', port: 80 }] };
  assert.equal(apply(registryWith(cart, pods), early).everybody, true);
  const headless = service('peers', { 80: 'TCP' });
  const registry = registryWith(cart, headless);
  assert.equal(apply(registry, slice(headless, ['10.0.0.7'])).everybody, true);
});
