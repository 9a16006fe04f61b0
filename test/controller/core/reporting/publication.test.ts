import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublicationStatus } from '../../../../controller/core/istio/publication.ts';
import type { PublishedScope } from '../../../../controller/core/istio/published-workload.ts';
import { workloadDetail } from '../../../../controller/core/reporting/reporting.ts';
import { service } from '../../../support/mesh-objects.ts';
import { FRONT, front, IstioWorld, keyOf } from '../istio/istio-world.ts';

const MESH = [
  front,
  service('cart', { 80: 'HTTP', 81: 'HTTP' }, { clusterIP: '10.96.0.1' }),
  service('pay', { 80: 'HTTP' }, { clusterIP: '10.96.0.2' }),
  service('other', { 80: 'HTTP' }, { clusterIP: '10.96.0.3' }),
];

const published = (routed: readonly string[], warm: readonly string[] = []): PublishedScope => ({
  routed: new Set(routed.map((name) => keyOf(name))),
  warm: new Set(warm.map((name) => (name === '*/*' ? name : keyOf(name)))),
  spec: '',
});

const refusal = { reason: 'KillSwitch', message: 'it is there' } as const;

const CASES: readonly (readonly [what: string, status: PublicationStatus, report: object, kept: number])[] = [
  ['without a Sidecar', { published: undefined }, { state: 'Eager', routed: 0, warm: 0 }, 4],
  [
    'that must not be lazy',
    { published: undefined, refusal },
    { state: 'Eager', routed: 0, warm: 0, refusal: { ...refusal } },
    4,
  ],
  ['at rest', { published: published(['cart']) }, { state: 'Lazy', routed: 1, warm: 0 }, 2],
  ['that learns', { published: published(['cart'], ['pay']) }, { state: 'Changing', routed: 1, warm: 1 }, 3],
  [
    'that holds everything yet',
    { published: published(['cart'], ['*/*']) },
    { state: 'Changing', routed: 1, warm: 1 },
    4,
  ],
];

for (const [what, status, report, kept] of CASES) {
  test(`a workload ${what} is reported so, with the clusters that it keeps`, () => {
    const { registry, graph } = new IstioWorld({ objects: MESH });
    const view = { registry, graph, clients: [], publication: () => status, now: 0 };
    const detail = workloadDetail(view, FRONT);
    assert.deepEqual([detail?.publication, detail?.clusters], [report, { kept, total: 4 }]);
  });
}

test('outside Istio mode there is nothing of the kind', () => {
  const { registry, graph } = new IstioWorld({ objects: MESH });
  const detail = workloadDetail({ registry, graph, clients: [], publication: () => undefined, now: 0 }, FRONT);
  assert.equal(detail && 'publication' in detail, false);
});
