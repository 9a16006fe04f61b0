import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EVERYBODYS, FEW, meshSlice, OF_FEW, type SharedMesh, usedBy, usersOf } from './shared-mesh.ts';

const MESH: SharedMesh = { clients: 200, services: 500, dependencies: 5, endpoints: 10 };

/** Of a service with addresses that are sorted otherwise as texts than as numbers. */
const addresses = (variant: number): readonly string[] =>
  meshSlice({ ...MESH, endpoints: 12 }, 0, variant).endpoints.split(' ');

describe('the mesh that benchmarks share', () => {
  it('has a service of everybody, one of few, and others of one or two clients', () => {
    const users = usersOf(MESH);
    assert.equal(users[EVERYBODYS]?.length, MESH.clients);
    assert.equal(users[OF_FEW]?.length, FEW);
    for (const some of users.slice(2)) assert.ok([1, 2, 3].includes(some.length), `${some.length} users`);
  });

  it('gives each client as many different services', () => {
    for (let client = 0; client < MESH.clients; client += 1) {
      assert.equal(new Set(usedBy(MESH, client)).size, MESH.dependencies);
    }
  });

  it('moves one endpoint for each variant, which stays the last', () => {
    assert.deepEqual(addresses(1).slice(0, -1), addresses(0).slice(0, -1));
    assert.equal(addresses(258).at(-1), '10.255.1.2');
    for (const variant of [0, 258]) assert.deepEqual(addresses(variant), addresses(variant).toSorted());
  });
});
