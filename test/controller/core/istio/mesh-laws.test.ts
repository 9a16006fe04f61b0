/** What holds for Istio mode as a whole, whatever users do to their mesh meanwhile. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { MeshObject, ObjectRef } from '../../../../controller/core/mesh-object.ts';
import type { Sidecar } from '../../../../controller/core/mesh-policy.ts';
import type { ServiceKey, WorkloadKey } from '../../../../controller/core/model.ts';
import type { PublishableWrite } from '../../../../controller/core/publishing.ts';
import { pod, service } from '../../../support/mesh-objects.ts';
import { sidecar, virtualService } from '../../../support/policy-objects.ts';
import { FRONT, front, INSTALLED, IstioWorld, KILL_SWITCH, keyOf } from './istio-world.ts';

const BACK: WorkloadKey = 'shop/Deployment/back';
const back = pod('back-0', '10.0.0.2', { mode: 'Enforce' });
const HTTP = ['cart', 'pay'] as const;
/** A TCP service on an HTTP port number: every lazy sidecar routes to it. */
const MIXED = 'db';
const SERVICES: readonly MeshObject[] = [
  service('cart', { 80: 'HTTP' }, { clusterIP: '10.96.0.1' }),
  service('pay', { 80: 'HTTP', 8080: 'HTTP' }, { clusterIP: '10.96.0.2' }),
  service(MIXED, { 80: 'TCP' }, { clusterIP: '10.96.0.3' }),
];
const ROUTES = virtualService('cart.shop.svc.cluster.local', { namespace: 'routes' });
/** Sidecars of users: for all pods, for those of front, and one that has the name that ours would have. */
const THEIRS: readonly Sidecar[] = [
  sidecar('default'),
  { ...sidecar('front'), selector: { app: 'front' } },
  { ...sidecar('lazyscope-deployment-back'), selector: { app: 'back' } },
];
const CHANGING: readonly MeshObject[] = [...SERVICES, front, back, ROUTES, ...THEIRS];

interface Model {
  /** Their Sidecars that exist. */
  readonly theirs: Set<string>;
  readonly learned: Readonly<Record<WorkloadKey, Set<ServiceKey>>>;
}

/** Policy that adds to what is learned: pins, and VirtualServices that speak for a service. */
const DECLARED: ReadonlySet<string> = new Set([keyOf(MIXED), `routes/cart.shop.svc.cluster.local`]);
const OURS = /^(Sidecar shop\/lazyscope-deployment-(front|back)|Service lazyscope\/lazyscope-(decoy|placeholder))$/;

function refOf({ kind, namespace, name }: ObjectRef): ObjectRef {
  return { kind, namespace, name };
}

function targetOf({ write }: PublishableWrite): string {
  const ref = write.type === 'Delete' ? write.ref : { kind: write.manifest.kind, ...write.manifest.metadata };
  return `${ref.kind} ${ref.namespace}/${ref.name}`;
}

function command(words: string, run: (model: Model, world: IstioWorld) => void) {
  return {
    check: () => true,
    toString: () => words,
    run: (model: Model, world: IstioWorld) => {
      run(model, world);
      for (const workload of [FRONT, BACK]) {
        const held = [...(world.routed(workload) ?? []), ...(world.warm(workload) ?? [])];
        const known = (key: string): boolean =>
          key === '*/*' || DECLARED.has(key) || !!model.learned[workload]?.has(key);
        assert.deepEqual(
          held.filter((key) => !known(key)),
          [],
          `${workload} holds what it was never seen to use`,
        );
      }
    },
  };
}

const nameOf = ({ kind, name }: { readonly kind: string; readonly name: string }): string => `${kind} ${name}`;
const tell = fc.constantFrom(...CHANGING).map((object) =>
  command(`tell ${nameOf(object)}`, ({ theirs }, world) => {
    const isTheirs = THEIRS.some((one) => one === object);
    if (isTheirs) theirs.add(`Sidecar shop/${object.name}`);
    world.tell(object);
  }),
);
const remove = fc.constantFrom(...CHANGING).map((object) =>
  command(`remove ${nameOf(object)}`, ({ theirs }, world) => {
    // Nobody but us deletes what is ours here.
    const target = `Sidecar shop/${object.name}`;
    if (object.kind === 'Sidecar' && !theirs.delete(target)) return;
    world.remove(refOf(object));
  }),
);
const killSwitch = fc
  .boolean()
  .map((isOn) =>
    command(`kill switch ${isOn}`, (_, world) => (isOn ? world.tell(KILL_SWITCH) : world.remove(KILL_SWITCH))),
  );
const anyWorkload = fc.constantFrom(FRONT, BACK);
const learn = fc.tuple(anyWorkload, fc.constantFrom(...HTTP)).map(([workload, name]) =>
  command(`${workload} uses ${name}`, ({ learned }, world) => {
    learned[workload]?.add(keyOf(name));
    world.learn([keyOf(name)], workload);
  }),
);
const forget = fc.tuple(anyWorkload, fc.constantFrom(...HTTP)).map(([workload, name]) =>
  command(`${workload} forgets ${name}`, (_, world) => {
    world.graph.cool(workload, keyOf(name), world.now);
    world.publishing.graphChanged([workload]);
  }),
);
const restart = fc.constant(command('restart', (_, world) => void world.restart()));
const pass = fc
  .constantFrom(50, 1_500, 13_000, 60_000)
  .map((ms) => command(`pass ${ms}`, (_, world) => world.pass(ms)));

const commands = fc.commands([tell, tell, remove, killSwitch, learn, learn, forget, restart, pass, pass, pass], {
  maxCommands: 25,
  size: 'max',
});

test('nothing of others is ever written, no scope has what was not used or declared, and at the end nothing is left to do', () => {
  let written = 0;
  fc.assert(
    fc.property(commands, (all) => {
      const model: Model = { theirs: new Set(), learned: { [FRONT]: new Set(), [BACK]: new Set() } };
      const world = new IstioWorld({ objects: [...INSTALLED, ...SERVICES, front, back] }).begin();
      const foreign: string[] = [];
      world.meets = (write) => {
        const target = targetOf(write);
        written += 1;
        // What is thrown here counts as an answer of the API server.
        if (!OURS.test(target) || model.theirs.has(target)) foreign.push(`${write.write.type} ${target}`);
      };
      fc.modelRun(() => ({ model, real: world }), all);
      world.pass(3_600_000);
      assert.deepEqual(foreign, []);
      assert.equal(world.write(), 0);
      const { length } = world.log;
      world.pass(24 * 3_600_000);
      assert.equal(world.log.length, length, 'it writes though nothing changes');
    }),
    { numRuns: 1_000 },
  );
  assert.ok(written > 1_000, `only ${written} writes in all`);
});
