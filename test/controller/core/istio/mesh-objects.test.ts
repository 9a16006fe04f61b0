import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MeshPorts, openPorts, portWrites } from '../../../../controller/core/istio/mesh-objects.ts';
import { SETTINGS } from './istio-world.ts';

/** Name and port numbers of what would be written. */
function writes(held: MeshPorts, wanted: readonly number[]): string[] {
  return portWrites(held, new Set(wanted), SETTINGS).map(({ metadata, spec }) => {
    const ports = 'ports' in spec && Array.isArray(spec.ports) ? spec.ports.map(({ port }) => port) : [];
    return `${metadata.name} ${ports.join(',')}`;
  });
}

const set = (...ports: number[]) => new Set(ports);

const cases: readonly (readonly [
  what: string,
  held: MeshPorts,
  wanted: readonly number[],
  written: readonly string[],
])[] = [
  [
    'both are created with port 80, the decoy first',
    { decoy: undefined, placeholder: undefined },
    [],
    ['lazyscope-decoy 80', 'lazyscope-placeholder 80'],
  ],
  ['nothing is written when both have every port', { decoy: set(80, 90), placeholder: set(90, 80) }, [90], []],
  [
    'a new port comes to both, sorted',
    { decoy: set(80, 9000), placeholder: set(80, 9000) },
    [8080],
    ['lazyscope-decoy 80,8080,9000', 'lazyscope-placeholder 80,8080,9000'],
  ],
  [
    'what one of them lacks is made up for there alone',
    { decoy: set(80, 90), placeholder: set(80) },
    [],
    ['lazyscope-placeholder 80,90'],
  ],
  [
    'a port that nobody has any more stays',
    { decoy: set(80, 90), placeholder: undefined },
    [],
    ['lazyscope-placeholder 80,90'],
  ],
];

for (const [what, held, wanted, written] of cases) {
  test(what, () => {
    assert.deepEqual(writes(held, wanted), written);
  });
}

test('a port is named http-<port>, and leads to nothing', () => {
  const [manifest] = portWrites({ decoy: set(80), placeholder: undefined }, new Set(), SETTINGS);
  assert.deepEqual(manifest, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace: 'lazyscope',
      name: 'lazyscope-placeholder',
      labels: { 'app.kubernetes.io/managed-by': 'lazyscope' },
    },
    spec: { ports: [{ name: 'http-80', port: 80, targetPort: 80, protocol: 'TCP' }] },
  });
});

test('open are the ports that both have', () => {
  assert.deepEqual([...openPorts({ decoy: set(80, 90), placeholder: set(90, 100) })], [90]);
  assert.deepEqual([...openPorts({ decoy: undefined, placeholder: set(90) })], []);
});

test('written once, nothing more is to be written, and no port is ever taken away', () => {
  const ports = fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 9 })), { nil: undefined });
  fc.assert(
    fc.property(ports, ports, fc.uniqueArray(fc.integer({ min: 1, max: 9 })), (decoy, placeholder, wanted) => {
      const held = { decoy: decoy && new Set(decoy), placeholder: placeholder && new Set(placeholder) };
      const all = new Set([80, ...wanted, ...(decoy ?? []), ...(placeholder ?? [])]);
      for (const line of writes(held, wanted)) {
        assert.deepEqual(new Set(line.split(' ')[1]?.split(',').map(Number)), all);
      }
      assert.deepEqual(writes({ decoy: all, placeholder: all }, wanted), []);
    }),
  );
});
