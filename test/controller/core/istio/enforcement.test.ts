import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enforcementOf } from '../../../../controller/core/istio/enforcement.ts';
import { registryView } from '../../../../controller/core/istio/registry-view.ts';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import type { WorkloadKey } from '../../../../controller/core/model.ts';
import { pod } from '../../../support/mesh-objects.ts';
import { FRONT, front, INSTALLED, IstioWorld } from './istio-world.ts';

const plain = pod('front-0', '10.0.0.1');
const { owner: _, ...bare } = pod('bare', '10.0.0.1', { mode: 'Enforce' });
const deployment = (mode?: 'Off' | 'Observe' | 'Enforce'): MeshObject => ({
  kind: 'Deployment',
  namespace: 'shop',
  name: 'front',
  ...(mode ? { mode } : {}),
});
const namespace = (mode: 'Off' | 'Enforce'): MeshObject => ({ kind: 'Namespace', namespace: '', name: 'shop', mode });

/** Whether the workload is to be `Lazy`, `Eager` or `Asleep`. */
function kindOf(
  objects: readonly MeshObject[],
  workload: WorkloadKey = FRONT,
  unreadable: readonly MeshObject['kind'][] = [],
) {
  const { registry, graph, settings } = new IstioWorld({ objects: [...INSTALLED, ...objects] });
  const view = registryView({ registry, graph, settings, unreadable: () => new Set(unreadable) });
  return enforcementOf(workload, view, settings, undefined).kind;
}

const CASES: readonly {
  readonly what: string;
  readonly objects: readonly MeshObject[];
  readonly workload?: WorkloadKey;
  readonly unreadable?: readonly MeshObject['kind'][];
  readonly kind: 'Lazy' | 'Eager' | 'Asleep';
}[] = [
  { what: 'a pod without any annotation', objects: [plain], kind: 'Eager' },
  { what: 'Enforce on its pods', objects: [front], kind: 'Lazy' },
  { what: 'Enforce on the Deployment', objects: [plain, deployment('Enforce')], kind: 'Lazy' },
  { what: 'Enforce on the Namespace', objects: [plain, namespace('Enforce')], kind: 'Lazy' },
  {
    what: 'Off on its pods in an enforced Namespace',
    objects: [{ ...plain, mode: 'Off' }, namespace('Enforce')],
    kind: 'Eager',
  },
  {
    what: 'Off on the Deployment in an enforced Namespace',
    objects: [plain, deployment('Off'), namespace('Enforce')],
    kind: 'Eager',
  },
  {
    what: 'Enforce on the Deployment in a Namespace that is Off',
    objects: [plain, deployment('Enforce'), namespace('Off')],
    kind: 'Lazy',
  },
  { what: 'Enforce on its pods of a Deployment that is Off', objects: [front, deployment('Off')], kind: 'Lazy' },
  {
    what: 'Observe on its pods in an enforced Namespace',
    objects: [{ ...plain, mode: 'Observe' }, namespace('Enforce')],
    kind: 'Eager',
  },
  {
    what: 'a bare pod',
    objects: [bare],
    workload: 'shop/Pod/bare',
    kind: 'Lazy',
  },
  {
    what: 'finished pods only, and a Deployment',
    objects: [{ ...front, finished: true }, deployment('Enforce')],
    kind: 'Asleep',
  },
  { what: 'no pods, and a Deployment', objects: [deployment('Enforce')], kind: 'Asleep' },
  { what: 'no pods, and no Deployment', objects: [], kind: 'Eager' },
  { what: 'no pods, while Deployments may not be read', objects: [], unreadable: ['Deployment'], kind: 'Asleep' },
  { what: 'no pods, of a kind that is not watched', objects: [], workload: 'shop/Rollout/front', kind: 'Asleep' },
  { what: 'a bare pod that is gone', objects: [], workload: 'shop/Pod/bare', kind: 'Eager' },
];

for (const { what, objects, workload, unreadable, kind } of CASES) {
  test(`${what}: ${kind}`, () => {
    assert.equal(kindOf(objects, workload, unreadable), kind);
  });
}

test('a lazy workload is selected by what all of its live pods share', () => {
  const { registry, graph, settings } = new IstioWorld({
    objects: [
      front,
      pod('front-1', '10.0.0.2', { mode: 'Enforce', labels: { app: 'front', zone: 'b' } }),
      pod('front-2', '10.0.0.3', { mode: 'Off', labels: {}, finished: true }),
    ],
  });
  const view = registryView({ registry, graph, settings, unreadable: () => new Set() });
  assert.deepEqual(enforcementOf(FRONT, view, settings, undefined), { kind: 'Lazy', selector: { app: 'front' } });
});
