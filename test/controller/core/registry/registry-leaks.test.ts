/** What has gone leaves nothing behind, however much of it there was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { MeshEvent } from '../../../../controller/core/ports.ts';
import { type Dialect, Registry } from '../../../../controller/core/registry/registry.ts';
import { usedHeap } from '../../../egress/support/used-heap.ts';
import { pod, service, slice } from '../../../support/mesh-objects.ts';

const HOUR_MS = 3_600_000;
const PER_ROUND = 500;
const ROUNDS = 20;
/** Far less than one round's objects take. */
const NOISE_BYTES = 300_000;

/** Everything that one deployment of a service brings, under names and addresses that never come again. */
function deployment(number: number): readonly MeshObject[] {
  const address = (from: number): string => `10.${from + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  const name = `app-${number}`;
  const withAddress = service(name, { 80: 'HTTP' }, { clusterIP: address(96) });
  const headless = service(`${name}-headless`, { 80: 'HTTP', 5432: 'TCP' });
  const [first, second] = [address(10), address(20)];
  return [
    withAddress,
    headless,
    slice(withAddress, [first]),
    slice(headless, [first, second]),
    { kind: 'ReplicaSet', namespace: 'shop', name: `${name}-5d4f`, owner: { kind: 'Deployment', name } },
    pod(`${name}-1`, first),
    pod(`${name}-2`, second),
    { kind: 'Node', namespace: '', name: `node-${number}`, addresses: [address(192)] },
    { kind: 'Namespace', namespace: '', name: `namespace-${number}` },
  ];
}

/** A deployment comes, is looked at as clients and entries do, and goes, by turns in either order. */
function comeAndGo(registry: Registry, number: number, at: number): void {
  const objects = deployment(number);
  registry.apply(objects.map((object): MeshEvent => ({ type: 'Applied', object, at })));
  for (const [key, { ports }] of registry.services) for (const { port } of ports) registry.endpoints(key, port);
  assert.equal([...registry.workloads.podsOf(`shop/Deployment/app-${number}`)].length, 2);
  const going = number % 2 === 0 ? objects : objects.toReversed();
  registry.apply(going.map((object): MeshEvent => ({ type: 'Deleted', ref: object, at: at + 1 })));
}

for (const dialect of ['direct', 'istio'] satisfies Dialect[]) {
  test(`a registry (${dialect}) through which 10,000 deployments went is as small as before`, () => {
    const registry = new Registry({ defaultMode: 'Enforce', dialect });
    const round = (number: number): number => {
      const at = number * HOUR_MS;
      for (let index = 0; index < PER_ROUND; index += 1) comeAndGo(registry, number * PER_ROUND + index, at);
      registry.workloads.addresses.prune(at + HOUR_MS);
      return usedHeap();
    };
    const after = Array.from({ length: ROUNDS }, (_, number) => round(number));
    const [before = 0, last = 0] = [after[1], after.at(-1)];
    assert.ok(last < before + NOISE_BYTES, `${last - before} bytes stayed of ${ROUNDS - 2} rounds`);
    assert.equal(registry.services.size, 0);
  });
}
