/** What makes external connections direct: in which order it is written, for whom, and when it goes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LazyscopeError } from '../../../../controller/core/error.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import { pod } from '../../../support/mesh-objects.ts';
import { serviceEntry, virtualService } from '../../../support/policy-objects.ts';
import { cart, FRONT_SIDECAR, front, INSTALLED, IstioWorld, KILL_SWITCH } from './istio-world.ts';

const EXTERNAL = { ports: [443], meshRanges: ['10.0.0.0/8'] };
const ENTRY = 'ServiceEntry lazyscope/lazyscope-external-direct';
const ROUTES = 'VirtualService lazyscope/lazyscope-external-direct';
const MESH_CONFIG = { kind: 'ConfigMap', namespace: 'istio-system', name: 'istio', isRegistryOnly: false } as const;
const BASE: readonly MeshObject[] = [...INSTALLED, MESH_CONFIG, cart];
const back = pod('back-0', '10.0.0.2', { mode: 'Enforce', namespace: 'bank' });
const BACK_SIDECAR = 'Sidecar bank/lazyscope-deployment-back';

function world(objects: readonly MeshObject[] = [...BASE, front], externalDirect = EXTERNAL): IstioWorld {
  return new IstioWorld({ objects, settings: { externalDirect } });
}

/** Settled, with what was written since then alone. */
function settled(objects?: readonly MeshObject[]): IstioWorld {
  const made = world(objects).begin();
  made.pass(60_000);
  made.log.length = 0;
  return made;
}

const has = (made: IstioWorld): boolean[] => [made.spec(ENTRY) !== undefined, made.spec(ROUTES) !== undefined];

describe('external connections', () => {
  it('are made direct only once lazy workloads are led to the egress', () => {
    const made = world().begin();
    made.pass(60_000);
    const [routes, entry, ...sidecars] = made.log;
    assert.deepEqual([routes, entry], [`Apply ${ROUTES}`, `Apply ${ENTRY}`]);
    assert.deepEqual([...new Set(sidecars)], [`Apply ${FRONT_SIDECAR}`]);
    assert.match(JSON.stringify(made.spec(FRONT_SIDECAR)), /"lazyscope\/external-direct\.lazyscope\.internal"/);
  });

  it('of a workload that becomes lazy later are direct only after it is led to the egress', () => {
    const made = settled();
    made.tell(back);
    made.pass(60_000);
    assert.deepEqual(made.log.slice(0, 2), [`Apply ${ROUTES}`, `Apply ${ENTRY}`]);
    assert.ok(made.log.includes(`Apply ${BACK_SIDECAR}`), made.log.join());
  });

  it('stay as they are, and so do workloads that are to become lazy, while that cannot be written', () => {
    const made = settled();
    made.meets = ({ workload }) => {
      if (workload === undefined) throw new LazyscopeError('Forbidden', 'may not patch virtualservices');
    };
    made.tell(back);
    made.pass(60_000);
    assert.deepEqual([made.log, has(made)], [[], [true, true]]);
    assert.ok(made.problems.some((problem) => problem.startsWith(`${ROUTES}: may not patch`)));
    made.meets = () => undefined;
    made.pass(60_000);
    assert.ok(made.log.includes(`Apply ${BACK_SIDECAR}`), made.log.join());
  });

  it('are left alone by a restart', () => {
    const made = settled();
    made.restart();
    made.pass(60_000);
    assert.deepEqual(made.log, []);
  });

  const ends: readonly (readonly [what: string, end: (made: IstioWorld) => void])[] = [
    ['nobody is lazy any more', (made) => made.tell({ ...front, mode: 'Off' })],
    ['the kill switch is there', (made) => made.tell(KILL_SWITCH)],
    ['an address is outside the ranges', (made) => made.tell(pod('far-0', '192.0.2.1'))],
    ['the mesh becomes REGISTRY_ONLY', (made) => made.tell({ ...MESH_CONFIG, isRegistryOnly: true })],
  ];
  for (const [what, end] of ends) {
    it(`cross the egress again when ${what}, and the entry goes first`, () => {
      const made = settled();
      end(made);
      made.pass(120_000);
      const own = made.log.filter((line) => line.startsWith('Delete') && line.includes('external-direct'));
      assert.deepEqual(own, [`Delete ${ENTRY}`, `Delete ${ROUTES}`], made.log.join('\n'));
      assert.deepEqual(has(made), [false, false]);
    });
  }

  it('cross the egress again under a controller without the setting', () => {
    const own = { namespace: 'lazyscope', name: 'lazyscope-external-direct', managedSpec: '{}' };
    const host = 'external-direct.lazyscope.internal';
    const left = [serviceEntry(host, { 443: 'TCP' }, own), virtualService(host, { ...own, routesHttp: false })];
    const made = new IstioWorld({ objects: [...BASE, front, ...left] }).begin();
    made.pass(60_000);
    assert.deepEqual(made.log.slice(0, 2), [`Delete ${ENTRY}`, `Delete ${ROUTES}`]);
    assert.ok(made.log.includes(`Apply ${FRONT_SIDECAR}`), made.log.join());
    assert.deepEqual(made.publishing.checks(), []);
  });

  it('are told of once when they may not be direct, and again when they may', () => {
    const made = settled();
    made.tell(pod('far-0', '192.0.2.1'));
    made.pass(60_000);
    const [check] = made.publishing.checks();
    assert.deepEqual([check?.ok, check?.degraded], [true, true]);
    assert.match(check?.detail ?? '', /^Pod shop\/far-0 has address 192\.0\.2\.1/);
    made.remove({ kind: 'Pod', namespace: 'shop', name: 'far-0' });
    made.pass(60_000);
    const reasons = made.events.map(({ reason }) => reason).filter((reason) => !reason.startsWith('Lazy'));
    assert.deepEqual(reasons, ['OutsideMeshRanges', 'ExternalDirectAgain']);
    assert.equal(made.problems.filter((problem) => problem.startsWith('external-direct:')).length, 1);
    assert.equal(made.publishing.checks()[0]?.degraded, false);
  });
});
