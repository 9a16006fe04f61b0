/** Whose connection an entry tells of, whenever it comes: the owner of the source address at its start. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MeshObject } from '../../controller/core/mesh-object.ts';
import { entry, pod } from '../support/mesh-objects.ts';
import { cart, Mesh } from './pipeline-mesh.ts';

const ADDRESS = '10.0.0.50';
const former = pod('former-0', ADDRESS, { startedAt: 10_000 });
const next = pod('next-0', ADDRESS, { startedAt: 50_000 });

type Step = (mesh: Mesh) => void;

const at =
  (now: number, ...steps: readonly Step[]): Step =>
  (mesh) => {
    mesh.now = now;
    for (const step of steps) step(mesh);
  };
const told =
  (object: MeshObject): Step =>
  (mesh) =>
    mesh.tell(object);
const gone: Step = (mesh) => {
  const ref = { kind: 'Pod', namespace: 'shop', name: former.name } as const;
  mesh.pipeline.events([{ type: 'Deleted', ref, at: mesh.now }]);
};
const called =
  (startTime: number): Step =>
  (mesh) =>
    mesh.pipeline.accessLogs([entry(ADDRESS, '10.96.0.1:9000', { startTime })], mesh.now);

const FORMER = 'shop/Deployment/former';
const NEXT = 'shop/Deployment/next';
/** The former owner goes at 40 s; the next one starts at 50 s and is told at 60 s. */
const REUSED = [at(20_000, told(former)), at(40_000, gone), at(60_000, told(next))];

const CASES: Readonly<Record<string, { readonly steps: readonly Step[]; readonly edges: readonly string[] }>> = {
  'while the former owner had it': { steps: [at(20_000, told(former)), at(30_000, called(25_000))], edges: [FORMER] },
  'of the former owner, told late': { steps: [...REUSED, at(70_000, called(25_000))], edges: [FORMER] },
  'of the former owner, told minutes late': { steps: [...REUSED, at(600_000, called(39_999))], edges: [FORMER] },
  'at the moment when it was given back': { steps: [...REUSED, at(70_000, called(40_000))], edges: [] },
  'while nobody had it': { steps: [...REUSED, at(70_000, called(45_000))], edges: [] },
  'of the next owner before the source told of it': {
    steps: [at(20_000, told(former)), at(40_000, gone), at(55_000, called(52_000)), at(60_000, told(next))],
    edges: [NEXT],
  },
  'of the next owner': { steps: [...REUSED, at(70_000, called(50_000))], edges: [NEXT] },
  'of either owner, out of order': {
    steps: [...REUSED, at(70_000, called(65_000), called(25_000))],
    edges: [FORMER, NEXT],
  },
  'replayed after the address has another owner': {
    steps: [
      at(20_000, told(former)),
      at(30_000, called(25_000)),
      at(40_000, gone),
      at(60_000, told(next)),
      at(70_000, called(25_000)),
    ],
    edges: [FORMER],
  },
  'before anybody is known to have had it': { steps: [at(20_000, told(former), called(9_999))], edges: [] },
};

for (const [what, { steps, edges }] of Object.entries(CASES)) {
  test(`a connection from a reused address ${what} is of ${edges.join(' and ') || 'nobody'}`, async (t) => {
    const mesh = await new Mesh().start([cart]);
    t.after(() => mesh.pipeline.stop());
    for (const step of steps) step(mesh);
    const found = mesh.pipeline.reports.edges({}).map(({ from }) => from);
    assert.deepEqual(found.sort(), edges);
  });
}

for (const [what, later, dropped] of [
  ['waits 30 s for a pod', 29_999, 0],
  ['is counted, named and dropped then', 30_000, 1],
] as const) {
  test(`a connection from an address of nobody ${what}`, async (t) => {
    const mesh = await new Mesh().start([cart]);
    t.after(() => mesh.pipeline.stop());
    for (const step of [at(20_000, called(15_000)), at(20_000 + later, told(pod('other-0', '10.0.0.9')))]) step(mesh);
    assert.equal(mesh.pipeline.counts.entries.dropped, dropped);
    assert.equal(mesh.problems.filter(({ subject }) => subject.includes(ADDRESS)).length, dropped);
    told(pod('former-0', ADDRESS, { startedAt: 10_000 }))(mesh);
    assert.equal(mesh.pipeline.reports.edges({}).length, 1 - dropped);
  });
}

test('a connection that nobody answered is none of anybody: a scan leaves no edge', async (t) => {
  const mesh = await new Mesh().start([cart, former]);
  t.after(() => mesh.pipeline.stop());
  const scan = Array.from({ length: 1_000 }, (_, index) =>
    entry(ADDRESS, `10.96.${index >> 8}.${index & 255}:9000`, { startTime: 20_000, answered: false }),
  );
  mesh.pipeline.accessLogs(scan, mesh.now);
  assert.deepEqual(mesh.pipeline.reports.edges({}), []);
  assert.equal(mesh.pipeline.counts.entries.unanswered, 1_000);
});
