import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MeshObject } from '../../../../controller/core/mesh-object.ts';
import { service } from '../../../support/mesh-objects.ts';
import { FRONT_SIDECAR, type IstioWorld, keyOf, lazyFront, SHOP } from './istio-world.ts';

describe('a new HTTP port', () => {
  const web = service('web', { 8080: 'HTTP' }, { clusterIP: '10.96.0.3' });
  const queue = service('queue', { 8080: 'TCP' }, { clusterIP: '10.96.0.4' });
  const written = (world: IstioWorld): string[] => world.log.map((line) => line.replace('lazyscope/lazyscope-', ''));

  it('is opened on the decoy before the placeholder, and only then may be in a scope', () => {
    const world = lazyFront();
    world.tell(web);
    world.learn([keyOf('web')]);
    world.pass(60_000);
    const [decoy, placeholder, warm, routed] = written(world);
    assert.deepEqual([decoy, placeholder], ['Apply Service decoy', 'Apply Service placeholder']);
    assert.deepEqual([warm, routed], [`Apply ${FRONT_SIDECAR}`, `Apply ${FRONT_SIDECAR}`]);
    assert.deepEqual(world.routed(), [keyOf('cart'), keyOf('web')]);
    assert.deepEqual(
      [world.ports('lazyscope-decoy'), world.ports('lazyscope-placeholder')],
      [
        [80, 8080],
        [80, 8080],
      ],
    );
  });

  it('is opened once every lazy workload routes to the TCP services on it', () => {
    const world = lazyFront([...SHOP, queue]);
    world.tell(web);
    world.pass(10_000);
    assert.deepEqual([world.warm(), world.ports('lazyscope-placeholder')], [[keyOf('queue')], [80]]);
    world.pass(5_000);
    assert.deepEqual(world.routed(), [keyOf('cart'), keyOf('queue')]);
    assert.deepEqual(world.ports('lazyscope-placeholder'), [80, 8080]);
  });

  it('is opened after a minute though a workload cannot be written', () => {
    const world = lazyFront([...SHOP, queue]);
    world.meets = ({ workload }) => {
      if (workload !== undefined) throw new Error('refused');
    };
    world.tell(web);
    world.pass(59_000);
    assert.deepEqual(world.ports('lazyscope-placeholder'), [80]);
    world.pass(2_000);
    assert.deepEqual(world.ports('lazyscope-placeholder'), [80, 8080]);
  });

  it('stays when the service that had it is gone', () => {
    const world = lazyFront([...SHOP, web]);
    world.remove({ kind: 'Service', namespace: 'shop', name: 'web' });
    world.pass(60_000);
    world.restart();
    world.pass(60_000);
    assert.deepEqual([world.log, world.ports('lazyscope-decoy')], [[], [80, 8080]]);
  });

  it('is tried again after some seconds where the API server refuses it', () => {
    const world = lazyFront();
    world.meets = () => {
      throw new Error('forbidden');
    };
    world.tell(web);
    world.pass(4_000);
    assert.deepEqual(world.ports('lazyscope-decoy'), [80]);
    assert.ok(world.problems.includes('Service lazyscope/lazyscope-decoy: forbidden'), world.problems.join('\n'));
    world.meets = () => undefined;
    world.pass(6_000);
    assert.deepEqual(world.ports('lazyscope-decoy'), [80, 8080]);
  });
});

describe('TCP services on HTTP ports', () => {
  const queues = (count: number): MeshObject[] =>
    Array.from({ length: count }, (_, index) =>
      service(`queue-${index}`, { 80: 'TCP' }, { clusterIP: `10.96.1.${index}` }),
    );

  it('are routed to, used or not', () => {
    const world = lazyFront([...SHOP, ...queues(2)]);
    assert.deepEqual(world.routed(), [keyOf('cart'), keyOf('queue-0'), keyOf('queue-1')]);
  });

  it('keep the mesh eager above 50, which operators are told', () => {
    assert.equal(lazyFront([...SHOP, ...queues(50)]).routed()?.length, 51);
    const world = lazyFront([...SHOP, ...queues(51)]);
    assert.deepEqual([world.routed(), world.refusal()], [undefined, 'MixedPorts']);
    assert.deepEqual(
      world.events.map(({ reason }) => reason),
      ['MixedPorts'],
    );
  });
});
