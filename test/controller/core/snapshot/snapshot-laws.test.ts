/** What holds for the snapshots of any mesh and scope. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PortProtocol, Service } from '../../../../controller/core/model.ts';
import { CLUSTER_LOAD_ASSIGNMENT, LISTENER, ROUTE_CONFIGURATION } from '../../../../controller/core/model.ts';
import { banner, database, search, service, web } from '../resources/services.ts';
import { countingBuilder, eager, lazy, meshView, versionsOf } from './mesh-view.ts';

const protocols: readonly PortProtocol[] = ['HTTP', 'HTTP2', 'GRPC', 'TLS', 'TCP'];

/** Few names, addresses and ports, so that they meet. */
const services = fc
  .array(
    fc.record({
      name: fc.constantFrom('a.shop', 'b.shop', 'c.bank', 'bank.shop'),
      ports: fc.array(fc.tuple(fc.constantFrom(80, 8080, 5432), fc.constantFrom(...protocols)), { maxLength: 3 }),
      headless: fc.boolean(),
      address: fc.constantFrom('10.96.0.1', '10.96.0.2', 'fd00::1'),
    }),
    { maxLength: 5 },
  )
  .map((list) => list.map(generated))
  .map((list) => [...new Map(list.map((each) => [each.host, each])).values()]);

function generated({ name, ports, headless, address }: Generated): Service {
  const distinct = [...new Map(ports)];
  return service(name, distinct, { headless, clusterIPs: headless ? [] : [address] });
}

interface Generated {
  readonly name: string;
  readonly ports: readonly (readonly [number, PortProtocol])[];
  readonly headless: boolean;
  readonly address: string;
}

/** Of clients: two have services of their own. */
const NAMESPACES = ['shop', 'bank', 'other'];
const RUNS = { numRuns: 1_000 };

test('equal meshes give equal versions, in whatever order and by whichever builder', () => {
  fc.assert(
    fc.property(services, (mesh) => {
      for (const scope of [eager, lazy(mesh)]) {
        const here = countingBuilder().builder.sidecar(meshView(mesh), scope, 'shop');
        const there = countingBuilder().builder.sidecar(meshView(structuredClone(mesh).reverse()), scope, 'shop');
        assert.deepEqual(versionsOf(there), versionsOf(here));
      }
    }),
    RUNS,
  );
});

test('the order of a scope, and what of it is warm, make no difference', () => {
  fc.assert(
    fc.property(services, fc.nat(), (mesh, split) => {
      const { builder } = countingBuilder();
      const view = meshView(mesh);
      const at = split % (mesh.length + 1);
      const mixed = builder.sidecar(view, lazy(mesh.slice(at).reverse(), mesh.slice(0, at)), 'shop');
      assert.deepEqual(versionsOf(mixed), versionsOf(builder.sidecar(view, lazy(mesh), 'shop')));
    }),
    RUNS,
  );
});

test('while services and endpoints come and go, a scope has the snapshot that a fresh builder builds', () => {
  const times = fc.array(fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 2 })), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(fc.tuple(services, services), times, (meshes, changes) => {
      const { builder } = countingBuilder();
      const scope = lazy(meshes[0]);
      for (const [mesh, ready] of changes) {
        const endpoints = Array.from({ length: ready }, (_, at) => ({
          address: `10.0.0.${at}`,
          port: 80,
          ready: true,
        }));
        const view = meshView(meshes[mesh] ?? [], endpoints);
        const fresh = countingBuilder().builder.sidecar(view, scope, 'shop');
        assert.deepEqual(versionsOf(builder.sidecar(view, scope, 'shop')), versionsOf(fresh));
      }
    }),
    RUNS,
  );
});

test('a snapshot built after others is the one that a fresh builder builds', () => {
  fc.assert(
    fc.property(fc.array(services, { minLength: 1, maxLength: 4 }), (meshes) => {
      const { builder } = countingBuilder();
      for (const mesh of meshes.flatMap((each) => [each, each.slice(1)])) {
        for (const namespace of NAMESPACES) {
          for (const scope of [eager, lazy(mesh)]) {
            const fresh = countingBuilder().builder.sidecar(meshView(mesh), scope, namespace);
            assert.deepEqual(versionsOf(builder.sidecar(meshView(mesh), scope, namespace)), versionsOf(fresh));
          }
        }
      }
    }),
    RUNS,
  );
});

const learned = [web, database, search];

test('services on known ports that a lazy sidecar has not learned change nothing for it', () => {
  const { builder } = countingBuilder();
  const scope = lazy(learned);
  const before = builder.sidecar(meshView([banner, ...learned]), scope, 'shop');
  const unrelated = Array.from({ length: 100 }, (_, at) =>
    at % 2 === 0
      ? service(`http-${at}.filler`, [[8080, 'HTTP']], { clusterIPs: [`10.97.0.${at}`] })
      : service(`tcp-${at}.filler`, [[6000, 'TCP']], { clusterIPs: [`10.97.0.${at}`] }),
  );
  assert.equal(builder.sidecar(meshView([banner, ...unrelated, ...learned]), scope, 'shop'), before);
});

test('an endpoint that changes changes nothing but its load assignments', () => {
  const { builder } = countingBuilder();
  const scope = lazy(learned);
  const mesh = [banner, ...learned];
  const before = builder.sidecar(meshView(mesh), scope, 'shop');
  const after = builder.sidecar(meshView(mesh, []), scope, 'shop');
  assert.notDeepEqual(versionsOf(after)['ClusterLoadAssignment'], versionsOf(before)['ClusterLoadAssignment']);
  assert.deepEqual({ ...after, [CLUSTER_LOAD_ASSIGNMENT]: before[CLUSTER_LOAD_ASSIGNMENT] }, { ...before });
  assert.equal(after[LISTENER], before[LISTENER]);
  assert.equal(after[ROUTE_CONFIGURATION], before[ROUTE_CONFIGURATION]);
});

test('what one client had encoded is not encoded again for others, nor in later revisions', () => {
  const { builder, count } = countingBuilder();
  const mesh = [banner, ...learned];
  builder.sidecar(meshView(mesh), lazy(learned), 'shop');
  const { encoded } = count;
  builder.sidecar(meshView(mesh), lazy(learned), 'shop');
  builder.sidecar(meshView(mesh), lazy([...learned].reverse()), 'shop');
  assert.equal(count.encoded, encoded);
});

test('eager clients of several namespaces share what does not depend on the namespace', () => {
  const { builder } = countingBuilder();
  const view = meshView([banner, ...learned]);
  const shop = builder.sidecar(view, eager, 'shop');
  assert.equal(builder.sidecar(view, { ...eager, workload: 'shop/Deployment/other' }, 'shop'), shop);
  assert.equal(builder.sidecar(view, eager, 'bank')[LISTENER], shop[LISTENER]);
});

test('the relay table is the same object until something changes', () => {
  const { builder } = countingBuilder();
  const mesh = [banner, ...learned];
  const table = builder.relayTable(meshView(mesh));
  assert.equal(builder.relayTable(meshView(mesh)), table);
  assert.notEqual(builder.relayTable(meshView([...mesh, service('new.shop', [[80, 'HTTP']])])), table);
});
